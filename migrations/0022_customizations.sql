-- What shoppers chose or wrote for the lines of an order, to be shown to operators.
alter table subject_state add column customizations jsonb;

comment on column subject_state.customizations is
    'For orders: code and text of each customized line. Personal data: shown to operators alone, removed by an erasure';
