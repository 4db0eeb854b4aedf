-- What both sides last showed of a code's stock, and what the shop should show: the page of products compares them without a
-- call. A table of its own, and narrow: it is written at every change of a figure, and the catalogue beside it stays quiet.
create table stock_figure (
    connection text not null,
    code text not null,
    code_key text not null,
    shop bigint not null,
    physical bigint,
    available bigint,
    buffer bigint not null,
    target bigint,
    read_at timestamptz not null,
    differs boolean not null generated always as (coalesce(shop <> target, false)) stored,

    constraint stock_figure_pkey primary key (connection, code),
    constraint stock_figure_connection_known foreign key (connection) references connection (name),
    constraint stock_figure_known_together check (
        (physical is null) = (available is null) and (physical is null) = (target is null)
    )
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 2000
);

-- The lists of what differs and of what the warehouse does not have: few of a hundred thousand.
create index stock_figure_differs on stock_figure (connection, code_key, code)
    where differs;
create index stock_figure_absent on stock_figure (connection, code_key, code)
    where physical is null;

comment on table stock_figure is 'What both sides last showed of a code''s stock; for people, nothing is decided by it';
comment on column stock_figure.connection is 'Connection of the code';
comment on column stock_figure.code is 'The product code as the shop spells it';
comment on column stock_figure.code_key is 'The code in lower case without spaces';
comment on column stock_figure.shop is 'Pieces in the shop, as last read or written';
comment on column stock_figure.physical is 'All pieces at the warehouse; null where it does not know the code';
comment on column stock_figure.available is 'Pieces at the warehouse that are free for orders; null where it does not know the code';
comment on column stock_figure.buffer is 'Pieces that are never shown for sale, as the connection''s rules said';
comment on column stock_figure.target is 'What the shop should show by the connection''s rules; null where the warehouse does not know the code';
comment on column stock_figure.read_at is 'When both sides were last read';
comment on column stock_figure.differs is 'True where the shop shows another figure than it should';

-- The list of products by name, and its search by the start of any word of a name or a code. Only what separates words in
-- ASCII separates them here, so that it means the same under every collation.
alter table item
    add column words tsvector generated always as (
        to_tsvector('simple', regexp_replace(
            coalesce(name, '') || ' ' || coalesce(code, ''), '[\s!-/:-@\[-`{-~]+', ' ', 'g'
        ))
    ) stored;

create index item_by_words on item using gin (words);
create index item_by_name on item (connection, (lower(coalesce(name, '')) collate "C"), item);
-- Which codes do several items have? Read without visiting the rows.
create index item_by_code_stored on item (connection, code_key) include (stored, item)
    where code_key is not null;

comment on column item.words is 'The words of its name and code, for the search';
