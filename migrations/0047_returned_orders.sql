-- Which of the orders that were completed since a time have come back: for the bar of the Overview, which counts each order
-- once. Only orders that came back stand in it.
create index subject_state_returned on subject_state (connection, completed_at) where status = 'returned';
