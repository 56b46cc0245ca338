-- Channel preference: on which channel does each person respond best, and at which local hour? A response is an open, a
-- click or an order on the channel; change the two lists to the names of your events (event_catalog shows them).
WITH touches AS (
  SELECT person, channel, ts, event IN ('Email Opened', 'Email Link Clicked', 'Push Notification Tapped', 'Order Completed') AS responded
  FROM events
  WHERE person IS NOT NULL AND channel IS NOT NULL
),
preferences AS (
  SELECT person, preferred_channel(channel, responded) AS channel,
         preferred_hour(ts, NULL) FILTER (WHERE responded) AS hour
  FROM touches GROUP BY person
)
SELECT coalesce(channel, '(none)') AS channel, hour, count(*) AS persons
FROM preferences GROUP BY 1, 2 ORDER BY persons DESC, channel, hour;
