-- The KPIs: in which unit, whether more or less is better, of whom they can be told, and why one is missing where
-- nothing else says so. Money is told per currency; `of_teams` says whether a team has one, too.
with listed (kpi, unit, better, has_currency, of_teams, missing_reason) as (
    select *
    from (
        values
        ('spend_allocated', 'ratio', 'more', true, false, 'nothing was spent'),
        ('spend_unallocated', 'ratio', 'less', true, false, 'nothing was spent'),
        ('spend_unregistered', 'ratio', 'less', true, false, 'the plan registers no teams'),
        ('apportionment', 'ratio', 'more', true, false, 'nothing was spent'),
        ('tag_compliance', 'ratio', 'more', true, true, 'no usage of a provider whose bill carries tags'),
        ('forecast_accuracy', 'ratio', 'less', true, true, 'no forecast of the whole month was made before it began'),
        ('forecast_drift', 'ratio', 'less', true, true, 'fewer than two forecasts of the month'),
        ('budget_variance', 'ratio', 'less', true, true, 'no budget, or one of 0'),
        ('commitment_coverage', 'ratio', 'more', true, false, 'no usage that a commitment could cover'),
        ('commitment_utilization', 'ratio', 'more', true, false, 'no commitment'),
        ('commitment_waste', 'ratio', 'less', true, false, 'no commitment'),
        ('effective_savings_rate', 'ratio', 'more', true, false, 'no usage that a commitment could cover'),
        ('experiment_to_production', 'ratio', 'less', true, true, 'no production'),
        ('idle_resource_share', 'ratio', 'less', true, true, 'no GPU on the bill is measured'),
        (
            'cost_per_1m_tokens', 'money per 1M tokens', 'less', true, true,
            'no tokens are counted beside a cost'
        ),
        (
            'cost_per_request', 'money per request', 'less', true, true,
            'no requests are counted beside a cost'
        ),
        ('reasoning_token_ratio', 'ratio', 'less', false, true, 'no source says how much output was reasoning'),
        ('cache_hit_rate', 'ratio', 'more', false, true, 'no source counts cached tokens'),
        ('llm_error_rate', 'ratio', 'less', false, true, 'no source counts failed requests'),
        (
            'training_cost_efficiency', 'money per point', 'less', true, true,
            'no finished run has both a cost and a metric between 0 and 1'
        ),
        ('return_on_investment', 'ratio', 'more', true, false, 'no use case has both a benefit and a cost'),
        ('cost_visibility_delay', 'days', 'less', false, false, 'measured of the latest month only'),
        ('normalized_vs_invoiced', 'ratio', 'more', true, false, 'no invoice was delivered')
    )
)

select
    kpi,
    unit,
    better,
    has_currency,
    of_teams,
    missing_reason
from listed
