-- wandb-metadata.json of a Weights & Biases run folder: the machine it ran on.  Not read.
-- formats: json
-- refused: It says neither how the run ended nor what it reached. Export the runs from the W&B API as JSON, each with id, state, createdAt, config, summaryMetrics and metadata, and deliver that file.
create table raw (startedAt varchar not null, os varchar not null, python varchar not null);
