-- NVIDIA's DCGM exporter: scraped text, or what Prometheus' HTTP API answers a range or instant query → GPU utilisation.
-- Many samples in, one row out for each hour, device, MIG instance and workload.
--   The rows of a device and hour add up to one device hour, however it is cut or shared: device_fraction is the share.
-- dataset: gpu_utilization
-- formats: lines, json
-- records: data.result > values
-- line: ^(?P<metric>DCGM_\w+(?:\{.*\})?)\s+(?P<value>\S+)(?:\s+(?P<instant>\d+))?\s*$
-- rows: metric like '%DCGM\_%' escape '\'
-- needs: value
-- holds: metric like '%DCGM\_%' escape '\'
-- bucket: row(device_id, usage_start)
-- account: coalesce(getvariable('account'), nullif(regexp_extract(metric, '[{," ]account_id"?[=:] ?"([^"]+)"', 1), ''), 'default')
-- month: strftime(sampled(instant, value, x_source_file), '%Y-%m')
-- origin: device_id from metric
-- origin: usage_start from instant
-- origin: usage_end from instant
-- wanted: usage_start as a time on each line, or a file named by the time of the scrape in UTC, such as node-7.2026-10-31T12-00-00Z.prom
-- wanted: device_id as a label UUID, uuid or gpu_uuid
-- quirk: 9223372036854775794 and DCGM's other blanks mean "no value": nothing is known then, which is not 0.
-- quirk: DCGM_FI_PROF_GR_ENGINE_ACTIVE is a ratio from 0 to 1 and comes first; DCGM_FI_DEV_GPU_UTIL is in per cent.
-- quirk: A scrape has no time of its own: the time on its lines or in the file's name (UTC) counts.
-- quirk: Every sample stands for its hour; a device that was seen in an hour counts the whole hour.
-- quirk: Labels differ by version: Hostname and hostname, pod and pod_name, and exported_pod where Prometheus kept pod for the exporter itself.
-- quirk: Empty pod labels, and the exporter's own pod, mean that nobody's workload ran.
-- quirk: A MIG instance is its slices' share of the device (2g of 7); the slices that no instance has are a row of their own.
-- quirk: Pods that share a device or an instance at the same time share its time equally.
-- quirk: Power is measured per device and spread over its rows, so that they add up to it.
-- quirk: The provider is a label, or told by the node's name (ip-…internal, gke-…, aks-…), or not known.
-- not covered: An hour whose samples or metrics come in two deliveries: the later one tells the hour; deliver {__name__=~"DCGM_.*"} at once.
-- not covered: Scrapes alike to the last byte under different names: a file is known by its content, so they are one.
-- not covered: A step longer than an hour: the hours between are not filled in.
-- not covered: The energy counter, which starts anew at each boot, temperatures, clocks, errors and links.
create table raw (
    metric varchar not null,                                            -- NAME{label="value",…}, or an object of labels
    value varchar,
    instant varchar
);
with providers(spelled, name) as (values
    ('aws', 'AWS'), ('amazon', 'AWS'), ('gcp', 'Google Cloud'), ('google', 'Google Cloud'), ('google cloud', 'Google Cloud'),
    ('azure', 'Microsoft'), ('microsoft', 'Microsoft'), ('oci', 'OCI'), ('oracle', 'OCI')
),
sizes(product, slices) as (values                                       -- slices that the device can be cut into
    ('A30', 4), ('A100', 7), ('H100', 7), ('H200', 7), ('GH200', 7), ('B200', 7), ('GB200', 7), ('B300', 7), ('GB300', 7),
    ('RTX PRO 6000', 4)
),
delivered as (
    select
        *,
        sampled(instant, value, x_source_file) as taken,
        case
            when metric like '{%' then cast(cast(metric as json) as map(varchar, varchar))
            else map(
                regexp_extract_all(metric, '(\w+)="((?:[^"\\]|\\.)*)"', 1),
                regexp_extract_all(metric, '(\w+)="((?:[^"\\]|\\.)*)"', 2)
            )
        end as label,
        case when metric like '{%' then cast(metric as json) ->> '$.__name__' else regexp_extract(metric, '^\w+') end as name,
        try_cast(coalesce(nullif(regexp_extract(value, '"(.*)"\]$', 1), ''), value) as double) as number
    from raw
),
measured as (
    select
        * exclude (number),
        -- Blanks of 64-bit and 32-bit whole numbers and of doubles, each in four meanings.
        case
            when number < 9.2e18 and not isnan(number) and number not between 2147483632 and 2147483635
                and number not between 140737488355328 and 140737488355331
                then number
        end as number,
        nullif(coalesce(label['UUID'], label['uuid'], label['gpu_uuid'], label['GPU_UUID']), '') as device_id,
        nullif(coalesce(label['GPU_I_ID'], label['gpu_i_id']), '') as mig_instance_id,
        nullif(coalesce(label['GPU_I_PROFILE'], label['gpu_i_profile']), '') as mig_profile,
        nullif(coalesce(label['modelName'], label['modelname'], label['model_name']), '') as gpu_model,
        coalesce(
            nullif(label['instance_id'], ''), nullif(label['Hostname'], ''), nullif(label['hostname'], ''),
            nullif(label['node'], ''), nullif(label['kubernetes_node'], ''), nullif(label['exported_instance'], ''),
            nullif(label['instance'], '')
        ) as resource_id,
        coalesce(
            nullif(label['exported_pod'], ''),
            case when coalesce(label['pod'], label['pod_name']) not like '%dcgm-exporter%'
                then nullif(coalesce(label['pod'], label['pod_name']), '') end,
            nullif(label['hpc_job'], '')
        ) as pod,
        lower(coalesce(label['provider'], label['cloud_provider'], label['cloud'])) as said
    from delivered
),
seen as (                                                               -- one row per device, instance, workload and instant
    select
        coalesce(
            getvariable('account'), nullif(label['account_id'], ''), 'default'
        ) as account_id,
        device_id, taken, mig_instance_id, mig_profile, pod,
        case when pod is not null then coalesce(
            nullif(label['exported_namespace'], ''), nullif(label['namespace'], ''), nullif(label['pod_namespace'], '')
        ) end as namespace,
        max(gpu_model) as gpu_model, max(resource_id) as resource_id, max(said) as said,
        max(nullif(coalesce(label['team'], label['label_team'], label['exported_team']), '')) as team,
        max(case when label['purpose'] in ('inference', 'training', 'other') then label['purpose'] end) as purpose,
        max(number) filter (where name = 'DCGM_FI_PROF_GR_ENGINE_ACTIVE') as engine_active,
        max(number) filter (where name = 'DCGM_FI_DEV_GPU_UTIL') / 100 as gpu_util,
        max(number) filter (where name = 'DCGM_FI_DEV_FB_USED') as used,
        max(number) filter (where name = 'DCGM_FI_DEV_FB_FREE') as free,
        max(number) filter (where name = 'DCGM_FI_DEV_FB_RESERVED') as reserved,
        max(number) filter (where name = 'DCGM_FI_DEV_POWER_USAGE') as power,
        min((x_source_file, x_source_row)) as source
    from measured
    group by account_id, device_id, taken, mig_instance_id, mig_profile, pod, namespace
),
told as (
    select
        *,
        bool_or(mig_instance_id is not null) over (partition by account_id, device_id, taken) as is_cut,
        bool_or(pod is not null) over (partition by account_id, device_id, taken, mig_instance_id) as is_used,
        max(power) over (partition by account_id, device_id, taken) as device_power,
        min(source) over (partition by account_id, device_id, taken) as first_source,
        cast(regexp_extract(mig_profile, '(\d+)g\.', 1) as double) as own_slices
    from seen
),
sharing as (                                                            -- a series of the whole device is none of its instances
    select
        *,
        coalesce(own_slices, 1) / count(*) over (partition by account_id, device_id, taken, mig_instance_id) as weight
    from told
    where (mig_instance_id is not null or not is_cut) and (pod is not null or not is_used)
),
weighed as (
    select
        sharing.*,
        sum(weight) over at_once as weights,
        case
            when is_cut and bool_and(own_slices is not null) over at_once then greatest(slices, sum(weight) over at_once)
            else sum(weight) over at_once
        end as whole
    from sharing
    left join sizes on product = regexp_extract(gpu_model, 'RTX PRO 6000|GH200|GB[23]00|A100|A30|H[12]00|B[23]00')
    window at_once as (partition by account_id, device_id, taken)
),
shares as (
    select
        * exclude (weight, weights, whole), weight / whole as share,
        case when is_cut then engine_active else coalesce(engine_active, gpu_util) end as busy
    from weighed
    union all by name
    select
        account_id, device_id, taken, max(gpu_model) as gpu_model, max(resource_id) as resource_id, max(said) as said,
        max(device_power) as device_power, 1 - max(weights / whole) as share,
        min(first_source) as source
    from weighed
    where is_cut
    group by account_id, device_id, taken
    having max(whole - weights) > 0.000001
),
counted as (
    select
        * exclude (gpu_model, resource_id, said),
        date_trunc('hour', taken) as usage_start,
        max(gpu_model) over of_hour as gpu_model, max(resource_id) over of_hour as resource_id, max(said) over of_hour as said,
        count(distinct taken) over of_hour as instants,
        count(distinct case when device_power is not null then taken end) over of_hour as powered
    from shares
    window of_hour as (partition by account_id, device_id, date_trunc('hour', taken))
)
select
    usage_start, usage_start + interval 1 hour as usage_end,
    coalesce(name, case
        when regexp_matches(resource_id, '^ip-.*[.](ec2|compute)[.]internal$') then 'AWS'
        when resource_id like 'gke-%' then 'Google Cloud'
        when resource_id like 'aks-%' then 'Microsoft'
    end) as provider,
    account_id, resource_id, device_id, gpu_model, mig_instance_id, mig_profile,
    sum(share) / nullif(instants, 0) as device_fraction,
    max(purpose) as purpose, max(team) as team, namespace, pod,
    avg(busy) as utilization_ratio,
    avg(used / nullif(used + free + coalesce(reserved, 0), 0)) as memory_used_ratio,
    avg(used + free + coalesce(reserved, 0)) as memory_total_mib,
    sum(device_power * share) / nullif(powered, 0) as power_w,
    nullif(count(distinct taken), 0) as samples,
    min(source)[1] as x_source_file, min(source)[2] as x_source_row
from counted
left join providers on spelled = said
group by
    usage_start, instants, powered, account_id, device_id, resource_id, gpu_model, name, mig_instance_id, mig_profile,
    namespace, pod
