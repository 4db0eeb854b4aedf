-- What is asked for several orders at once can be taken back at once too: each of its intents names the request.
alter table intent
    add column bulk_id uuid;

create index intent_by_bulk on intent (bulk_id)
    where bulk_id is not null;

comment on column intent.bulk_id is 'The request for several orders that it was part of; null where it was asked for this one alone';
