-- A first look at data that was just loaded. Run one statement at a time, such as
--   convoke sql "SELECT * FROM event_catalog" --data ./convoke-data

-- Which events are there, with which properties?
SELECT * FROM event_catalog ORDER BY rows DESC LIMIT 20;

-- From when to when, and how much of it belongs to a person?
SELECT count(*) AS events, count(person) AS with_person, min(ts) AS first, max(ts) AS last FROM events;

-- Which identifiers, and how many persons do they make?
SELECT id_type, count(*) AS identifiers, count(DISTINCT person) AS persons FROM identities GROUP BY id_type ORDER BY 2 DESC;

-- Persons with suspiciously many identifiers: a shared device or a placeholder?
SELECT person, identifier_count FROM persons ORDER BY identifier_count DESC LIMIT 10;

-- Orders by month, in the base currency.
SELECT date_trunc('month', day)::DATE AS month, count(*) AS orders, sum(net_base) AS net FROM orders GROUP BY 1 ORDER BY 1;

-- What was rejected, and why?
SELECT reason, count(*) AS rows FROM system.dead_letters GROUP BY reason ORDER BY rows DESC;

-- The longest statements so far.
SELECT * FROM system.queries ORDER BY milliseconds DESC LIMIT 10;
