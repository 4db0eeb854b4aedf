-- PostgreSQL vacuums a table when a fifth of its rows are dead. In a table that keeps years of settled work and rewrites a
-- handful of rows each second that is hundreds of thousands of dead rows; where rows are rewritten again and again, so
-- few are alive that a fifth comes all the time, but never in the middle of a burst. By number rather than by share, then:
-- the dead never heap up higher with what is kept, and the work of a vacuum follows the work done.
alter table delivery set (autovacuum_vacuum_scale_factor = 0.005, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000);
-- Only inserted and, after retention, deleted: the inserts count too, so that the visibility map stays whole.
alter table event set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
alter table attempt set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
-- Rewritten by each attempt.
alter table link set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000);
alter table intent set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000);
-- A few rows, rewritten all day: room in each page keeps the new version beside the old one and out of the indexes.
alter table rate_budget set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
alter table sweep set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
