-- Which codes several items have, so that a page need not group the whole catalogue. It is brought up to date after each
-- commit of the register, and in whole by every sync of the products: of two processes that register the same code at once, the
-- later one sees the other. For people: what is sent is decided by the register itself.
create table repeated_code (
    connection text not null,
    code_key text not null,

    constraint repeated_code_pkey primary key (connection, code_key),
    constraint repeated_code_connection_known foreign key (connection) references connection (name)
);

comment on table repeated_code is 'Codes that several items of the catalogue have, one of them stored at the warehouse';
comment on column repeated_code.connection is 'Connection of the catalogue';
comment on column repeated_code.code_key is 'The code in lower case without spaces';

insert into repeated_code (connection, code_key)
select connection, code_key from item
where code_key is not null
group by connection, code_key having count(*) > 1 and bool_or(stored);
