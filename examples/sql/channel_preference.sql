-- Channel preference: on which channel does each person open messages best, and at which local hour? Change the two event
-- names to yours (event_catalog shows them).
WITH sent AS (
  SELECT DISTINCT person, campaign_id, channel FROM events WHERE event = 'Campaign Sent' AND person IS NOT NULL
),
opened AS (
  SELECT person, campaign_id, channel, min(ts) AS ts FROM events
  WHERE event = 'Campaign Opened' AND person IS NOT NULL GROUP BY person, campaign_id, channel
),
preferences AS (
  SELECT s.person, preferred_channel(s.channel, o.ts IS NOT NULL) AS channel, preferred_hour(o.ts, NULL) AS hour
  FROM sent s LEFT JOIN opened o ON o.person = s.person AND o.campaign_id = s.campaign_id AND o.channel = s.channel
  GROUP BY s.person
)
SELECT coalesce(channel, '(none)') AS channel, hour, count(*) AS persons
FROM preferences GROUP BY 1, 2 ORDER BY persons DESC, channel, hour;
