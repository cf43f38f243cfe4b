-- Every statement of the store, for SQLite and PostgreSQL alike. `statements.py` reads this file.
--
--   name:      a statement, as Python asks for it.
--   part:      a piece of SQL, which stands in others as {its_name}.
--   rows:      columns and types of the rows that are handed over; {rows} is a table `r` of them, {columns} their names.
--   {lock}     FOR UPDATE; SQLite has one writer and needs none.
--   {skip}     FOR UPDATE of `n`, passing by what another process has locked.
--   {in_our_buckets}  whether the order of `n` is in a bucket of `:buckets`, which has a digit for each; SQLite has one
--              process, to which all belong.
--   {state}    the state of an order, in hexadecimal digits where it is packed: SQLite cannot return bytes as JSON.
--   {clock}    the real moment in microseconds since 1970, by the clock that all who share the store share.
--
-- `WHERE 1 = 1` keeps SQLite from reading ON CONFLICT as the condition of a join.


-- ================================================================ orders

-- part: order
-- In the order in which `rows.order_of` reads them.
order_id, version, wake_at, last_word_at, {state}

-- name: load_orders
-- rows: order_id text
SELECT {order}
FROM orders
WHERE order_id IN (SELECT r.order_id FROM {rows})

-- name: load_pending
-- rows: order_id text
SELECT {notification}
FROM notifications
WHERE order_id IN (SELECT r.order_id FROM {rows}) AND settled_at IS NULL

-- name: lock_orders
-- rows: order_id text
SELECT order_id, version, final, stuck, promise
FROM orders
WHERE order_id IN (SELECT r.order_id FROM {rows})
ORDER BY order_id {lock}

-- name: insert_orders
-- rows: order_id text, feed text, wake_at bigint, last_word_at bigint, ended_at bigint, final int, stuck int
-- rows: promise text, state text
INSERT INTO orders (version, {columns})
SELECT 1, {columns} FROM {rows} WHERE 1 = 1 ORDER BY order_id
ON CONFLICT (order_id) DO NOTHING

-- name: update_orders
-- rows: order_id text, feed text, wake_at bigint, last_word_at bigint, ended_at bigint, final int, stuck int
-- rows: promise text, state text
UPDATE orders
SET version = orders.version + 1, feed = r.feed, wake_at = r.wake_at, last_word_at = r.last_word_at,
    ended_at = r.ended_at, final = r.final, stuck = r.stuck, promise = r.promise, state = r.state
FROM {rows}
WHERE orders.order_id = r.order_id

-- name: replace_orders
-- On SQLite: a row that is updated keeps its page, so what it no longer fills would be lost; a new one takes what it
-- needs.
-- rows: order_id text, version bigint, feed text, wake_at bigint, last_word_at bigint, ended_at bigint, final int
-- rows: stuck int, promise text, state bytea
INSERT OR REPLACE INTO orders ({columns}) SELECT {columns} FROM {rows}

-- name: partitions_to_wake
-- Every partition that has an order to wake, found by leaping through the index from one to the next.
WITH RECURSIVE known (feed) AS (
    SELECT min(feed) FROM orders WHERE wake_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(o.feed) FROM orders o WHERE o.wake_at IS NOT NULL AND o.feed > known.feed)
    FROM known WHERE known.feed IS NOT NULL
)
SELECT feed FROM known WHERE feed IS NOT NULL

-- name: orders_to_wake
-- One walk along the index for each partition: sorting all that is due would cost more, the longer the backlog.
SELECT order_id, wake_at
FROM orders
WHERE feed = :feed AND wake_at IS NOT NULL AND wake_at <= :until
ORDER BY wake_at LIMIT :limit

-- name: next_wake
SELECT wake_at FROM orders WHERE feed = :feed AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1

-- name: open_orders_after
SELECT order_id FROM orders WHERE order_id > :after AND final = 0 ORDER BY order_id LIMIT :limit {lock}

-- name: wake_orders
-- The version rises, so a decision made meanwhile by the old plan loses its race and is made again by the new one.
-- rows: order_id text
UPDATE orders
SET version = version + 1, wake_at = CASE WHEN wake_at IS NULL OR wake_at > :now THEN :now ELSE wake_at END
WHERE order_id IN (SELECT r.order_id FROM {rows})


-- ================================================================ recipient queues

-- part: notification
-- In the order in which `rows.notification_of` reads them.
key, order_id, seq, recipient, channel, decided, decided_at, state, attempts, revision, first_attempt_real,
next_update, not_before, gate

-- part: draft
-- In the order in which `rows.draft_of` reads them. The draft itself is found by `drafts`.
catalog, message, locale, message_id, address_hash

-- part: named
-- By both, so that where the tables are divided by the order each row is looked for in one part.
(order_id, key) IN (SELECT r.order_id, r.key FROM {rows})

-- part: its_row
notifications.order_id = r.order_id AND notifications.key = r.key

-- part: gathered
-- An alert that waits to be told with others of its kind. What comes after it in its queue does not wait behind it.
state = 'held' AND gate = 'gathered'

-- name: lock_unsettled
-- rows: order_id text
SELECT key, order_id, recipient, channel, first_attempt_real, CASE WHEN {gathered} THEN 0 ELSE 1 END
FROM notifications
WHERE order_id IN (SELECT r.order_id FROM {rows}) AND settled_at IS NULL
ORDER BY key {lock}

-- name: insert_notifications
-- rows: key text, order_id text, seq bigint, recipient text, channel text, decided text, decided_at bigint
-- rows: state text, next_update bigint, not_before bigint, due_real bigint, lease_token text, settled_at bigint
-- rows: reason text, attempts int, first_attempt_real bigint, catalog text, message text, locale text
-- rows: message_id text, address_hash text, alert text
INSERT INTO notifications ({columns})
SELECT {columns} FROM {rows} WHERE 1 = 1 ORDER BY key
ON CONFLICT DO NOTHING

-- name: leased_keys
-- rows: order_id text, key text
SELECT key
FROM notifications
WHERE {named} AND settled_at IS NULL AND lease_token = :token

-- name: drop_notifications
-- rows: order_id text, key text
UPDATE notifications
SET state = 'dropped', reason = :reason, settled_at = :now, due_real = NULL, lease_token = NULL, draft = NULL
WHERE {named} AND settled_at IS NULL

-- name: make_due
-- rows: order_id text, key text
UPDATE notifications
SET due_real = {clock}
WHERE {named} AND settled_at IS NULL AND lease_token IS NULL AND due_real > {clock}

-- name: raise_revision
-- rows: order_id text, key text
UPDATE notifications SET revision = revision + 1 WHERE {named}

-- name: promote_next
-- rows: order_id text
UPDATE notifications
SET due_real = {clock}
WHERE order_id IN (SELECT r.order_id FROM {rows}) AND settled_at IS NULL AND due_real IS NULL AND told_by IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM notifications e
    WHERE e.order_id = notifications.order_id AND e.recipient = notifications.recipient
      AND e.channel = notifications.channel AND e.seq < notifications.seq AND e.settled_at IS NULL
      AND NOT (e.state = 'held' AND e.gate = 'gathered')
  )


-- ================================================================ outbox

-- part: ours_to_claim
-- A notification that is held because its partition is behind is left to the process that reads this partition. Any
-- other would only hold it again, and being quicker, again and again. All other holds and retries have a `not_before`.
(n.not_before IS NOT NULL OR n.state NOT IN ('held', 'retrying') OR n.decided_at <= :overdue OR EXISTS (
    SELECT 1 FROM orders o WHERE o.order_id = n.order_id AND o.feed IN (SELECT r.feed FROM {rows})
))

-- name: claimable
-- The due head of a queue. If it is leased, its lease ran out by the shared clock; if not, it is due by the caller's.
-- What is in the bucket of another process is left to that one for a while.
-- rows: feed text
SELECT n.key
FROM notifications n
WHERE n.due_real <= :latest
  AND n.due_real <= CASE WHEN n.lease_token IS NULL THEN CAST(:now AS bigint) ELSE :clock_now END
  AND (n.due_real <= :left_over OR {in_our_buckets})
  AND {ours_to_claim}
  AND NOT EXISTS (
    SELECT 1 FROM notifications e
    WHERE e.order_id = n.order_id AND e.seq < n.seq AND e.recipient = n.recipient AND e.channel = n.channel
      AND e.settled_at IS NULL AND NOT (e.state = 'held' AND e.gate = 'gathered')
  )
ORDER BY n.due_real LIMIT :limit {skip}

-- name: lease
-- rows: order_id text, key text
UPDATE notifications
SET lease_token = :token, due_real = :until
WHERE {named} AND settled_at IS NULL

-- name: claimed
-- rows: order_id text, key text
SELECT {notification}, {draft}
FROM notifications
WHERE {named} AND settled_at IS NULL

-- name: renew_leases
-- rows: order_id text, key text
UPDATE notifications SET due_real = :until WHERE {named}

-- part: leased
notifications.key, notifications.order_id, notifications.seq, notifications.revision

-- name: lock_leased
-- rows: order_id text, key text
SELECT {leased}
FROM notifications
WHERE {named} AND settled_at IS NULL AND lease_token = :token
ORDER BY key {lock}

-- name: begin_attempts
-- rows: order_id text, key text, at_real bigint, next_update bigint
-- rows: catalog text, message text, locale text, message_id text, address_hash text
UPDATE notifications
SET state = 'sending', attempts = attempts + 1, first_attempt_real = coalesce(first_attempt_real, r.at_real),
    next_update = r.next_update, catalog = r.catalog, message = r.message, locale = r.locale,
    message_id = r.message_id, address_hash = r.address_hash
FROM {rows}
WHERE {its_row}

-- name: attempts_at_addresses
-- rows: address_hash text
SELECT address_hash, alert, first_attempt_real
FROM notifications
WHERE address_hash IN (SELECT r.address_hash FROM {rows}) AND first_attempt_real > :since AND state <> 'failed'
  AND (recipient = 'customer' OR alert IS NOT NULL)

-- name: attempts_on_orders
-- rows: order_id text
SELECT order_id, first_attempt_real
FROM notifications
WHERE order_id IN (SELECT r.order_id FROM {rows}) AND first_attempt_real > :since AND recipient = 'customer'
  AND state <> 'failed'

-- part: still_leased
{its_row} AND notifications.settled_at IS NULL AND notifications.lease_token = :token

-- name: give_back
-- rows: order_id text, key text, due_real bigint
UPDATE notifications SET lease_token = NULL, due_real = r.due_real FROM {rows} WHERE {still_leased}

-- name: hold_or_retry
-- rows: order_id text, key text, state text, gate text, not_before bigint, due_real bigint, discards_draft int
UPDATE notifications
SET state = r.state, gate = r.gate, not_before = r.not_before, due_real = r.due_real, lease_token = NULL,
    draft = CASE WHEN r.discards_draft = 1 THEN NULL ELSE draft END,
    first_attempt_real = CASE WHEN r.discards_draft = 1 THEN NULL ELSE first_attempt_real END
FROM {rows}
WHERE {still_leased}

-- name: settle
-- Only of what was sent, or may have been, a draft is kept: a failed message that is retried is written anew.
-- rows: order_id text, key text, state text, reason text, settled_at bigint
UPDATE notifications
SET state = r.state, reason = r.reason, settled_at = r.settled_at, gate = NULL, not_before = NULL,
    due_real = NULL, lease_token = NULL, draft = CASE WHEN r.state IN ('sent', 'in_doubt') THEN draft END
FROM {rows}
WHERE {still_leased}

-- name: insert_drafts
-- One that is there was left behind by an earlier order of that id.
-- rows: order_id text, seq bigint, day int, content bytea
INSERT INTO drafts ({columns}) SELECT {columns} FROM {rows} WHERE 1 = 1 ORDER BY order_id, seq
ON CONFLICT (order_id, seq) DO UPDATE SET day = excluded.day, content = excluded.content

-- name: drafts
-- Each as earlier versions kept it, or compressed and with its dictionary.
-- rows: order_id text, key text
SELECT n.key, n.draft, n.message_id, n.address_hash, d.content, t.content
FROM notifications n
LEFT JOIN drafts d ON d.order_id = n.order_id AND d.seq = n.seq
LEFT JOIN dictionaries t ON t.catalog = n.catalog AND t.message = n.message
WHERE (n.order_id, n.key) IN (SELECT r.order_id, r.key FROM {rows}) AND n.first_attempt_real IS NOT NULL

-- name: discard_drafts
-- rows: order_id text, seq bigint
DELETE FROM drafts WHERE (order_id, seq) IN (SELECT r.order_id, r.seq FROM {rows})

-- name: old_drafts
SELECT d.order_id, d.seq
FROM drafts d
WHERE d.day < :day AND NOT EXISTS (
    SELECT 1 FROM notifications n WHERE n.order_id = d.order_id AND n.seq = d.seq AND n.settled_at IS NULL
)
ORDER BY d.day LIMIT :limit

-- name: forget_drafts_in_rows
UPDATE notifications SET draft = NULL
WHERE (order_id, key) IN (
    SELECT n.order_id, n.key FROM notifications n
    WHERE n.draft IS NOT NULL AND n.first_attempt_real < :before AND n.settled_at IS NOT NULL
    ORDER BY n.first_attempt_real LIMIT :limit
)

-- name: dictionaries
-- rows: catalog text, message text
SELECT catalog, message, content
FROM dictionaries
WHERE (catalog, message) IN (SELECT r.catalog, r.message FROM {rows})

-- name: keep_dictionaries
-- rows: catalog text, message text, content bytea
INSERT INTO dictionaries ({columns}) SELECT {columns} FROM {rows} WHERE 1 = 1 ORDER BY catalog, message
ON CONFLICT (catalog, message) DO NOTHING

-- name: next_due
-- rows: feed text
SELECT n.due_real + CASE WHEN {in_our_buckets} THEN 0 ELSE :patience END
FROM notifications n
WHERE n.due_real IS NOT NULL AND {ours_to_claim}
ORDER BY n.due_real LIMIT 1

-- name: free_leases
UPDATE notifications
SET lease_token = NULL, due_real = {clock}
WHERE due_real IS NOT NULL AND lease_token IS NOT NULL

-- name: alerts_waiting
-- rows: alert text
SELECT r.alert
FROM {rows}
WHERE EXISTS (
    SELECT 1 FROM notifications n
    WHERE n.alert = r.alert AND n.settled_at IS NULL AND n.first_attempt_real IS NULL AND n.state <> 'queued'
      AND n.told_by IS NULL
)

-- name: unsubscribed
-- rows: address_hash text
SELECT address_hash FROM unsubscribed WHERE address_hash IN (SELECT r.address_hash FROM {rows})


-- ================================================================ alerts told by the mail of another one

-- name: to_list
-- What the mail of one alert may tell besides: what it was to tell before, and what waits, unless that leads a list.
SELECT n.key, n.order_id
FROM notifications n
WHERE n.alert = :alert AND n.settled_at IS NULL AND n.first_attempt_real IS NULL AND n.key <> :key
  AND (n.told_by = :key OR n.told_by IS NULL AND n.state = 'held' AND n.gate = 'gathered' AND NOT EXISTS (
    SELECT 1 FROM notifications t WHERE t.told_by = n.key AND t.settled_at IS NULL
  ))
ORDER BY CASE WHEN n.told_by IS NULL THEN 1 ELSE 0 END, n.decided_at, n.key LIMIT :limit

-- name: lock_to_list
-- rows: order_id text, key text
SELECT key, told_by
FROM notifications
WHERE {named} AND settled_at IS NULL AND {gathered}
ORDER BY key {lock}

-- name: list_alerts
-- rows: order_id text, key text, told_by text
UPDATE notifications SET told_by = r.told_by, due_real = NULL, lease_token = NULL
FROM {rows}
WHERE {its_row}

-- name: lock_listed
-- rows: told_by text
SELECT key, order_id, told_by
FROM notifications
WHERE told_by IN (SELECT r.told_by FROM {rows}) AND settled_at IS NULL
ORDER BY key {lock}

-- name: settle_listed
-- What was told has the Message-ID of the mail that told it. What failed with that mail can be queued again by itself.
-- rows: order_id text, key text, state text, reason text, settled_at bigint, told_by_order text
UPDATE notifications
SET state = r.state, reason = r.reason, settled_at = r.settled_at, gate = NULL, not_before = NULL, due_real = NULL,
    told_by = CASE WHEN r.state = 'dropped' THEN told_by END,
    message_id = CASE WHEN r.state = 'dropped' THEN (
        SELECT t.message_id FROM notifications t
        WHERE t.order_id = r.told_by_order AND t.key = notifications.told_by
    ) END
FROM {rows}
WHERE {its_row}

-- name: free_listed
-- rows: order_id text, key text
UPDATE notifications SET told_by = NULL, due_real = {clock} WHERE {named}


-- ================================================================ timeline and counters

-- name: insert_entries
-- rows: order_id text, line text
INSERT INTO entries ({columns}) SELECT {columns} FROM {rows}

-- name: add_counts
-- rows: kind text, word text, shard text, n bigint
INSERT INTO counts ({columns})
SELECT {columns} FROM {rows} WHERE 1 = 1 ORDER BY kind, word, shard
ON CONFLICT (kind, word, shard) DO UPDATE SET n = counts.n + excluded.n


-- ================================================================ questions

-- name: insert_questions
-- rows: link text, key text, order_id text
INSERT INTO questions ({columns}) SELECT {columns} FROM {rows} WHERE 1 = 1 ORDER BY link
ON CONFLICT DO NOTHING

-- name: question
SELECT {draft}, {notification}
FROM notifications
WHERE (order_id, key) IN (SELECT q.order_id, q.key FROM questions q WHERE q.link = :link)

-- name: orders_with_questions
-- rows: order_id text
SELECT order_id FROM questions WHERE order_id IN (SELECT r.order_id FROM {rows})

-- name: add_snooze
INSERT INTO snoozes ("of", name, until, author, reason, at)
VALUES (:of, :name, :until, :author, :reason, :at)

-- name: snoozes
SELECT id, "of", name, until, author, reason, at FROM snoozes WHERE until > :now ORDER BY id

-- name: end_snooze
DELETE FROM snoozes WHERE id = :id

-- name: look_again_at_snoozed
UPDATE notifications SET due_real = {clock}
WHERE due_real IS NOT NULL AND gate = 'snoozed' AND settled_at IS NULL AND lease_token IS NULL

-- name: forget_questions
-- rows: order_id text
DELETE FROM questions WHERE order_id IN (SELECT r.order_id FROM {rows})


-- ================================================================ dead letters

-- part: dead_letter
-- With `dead_letter_content`, in the order in which `dead_letters._dead_letter` reads them.
id, topic, partition, "offset", timestamp_real, stage, reason, message, at, state, size, sha256, whole

-- part: dead_letter_content
key, headers, value

-- name: insert_dead_letter
INSERT INTO dead_letters (topic, partition, "offset", sha256, timestamp_real, key, headers, value, size, whole, stage,
    reason, message, at, state, copied)
VALUES (:topic, :partition, :offset, :sha256, :timestamp_real, :key, :headers, :value, :size, :whole, :stage,
    :reason, :message, :at, 'open', 0)
ON CONFLICT (topic, partition, "offset", sha256) DO NOTHING

-- part: kept_bytes
CASE WHEN whole = 1 THEN size ELSE :head END

-- name: kept_dead_letters
-- Of those that have a value: how many, and its bytes. A walk along an index, so it may be asked for every batch.
SELECT count(*), CAST(coalesce(sum({kept_bytes}), 0) AS bigint) FROM dead_letters WHERE value IS NOT NULL

-- name: oldest_kept_dead_letters
SELECT id, {kept_bytes} FROM dead_letters WHERE value IS NOT NULL ORDER BY id LIMIT :limit

-- name: shorten_dead_letters
-- What is no longer whole is not copied any more.
-- rows: id bigint
UPDATE dead_letters SET key = NULL, headers = '[]', value = NULL, whole = 0, copied = 1
WHERE id IN (SELECT r.id FROM {rows})

-- name: oldest_dead_letters
SELECT id, state FROM (SELECT id, state, at FROM dead_letters ORDER BY id LIMIT :limit) AS oldest WHERE at < :before

-- name: forget_dead_letters
-- rows: id bigint
DELETE FROM dead_letters WHERE id IN (SELECT r.id FROM {rows})

-- name: dead_letters
-- Without what makes them large.
SELECT {dead_letter}, NULL, '[]', NULL FROM dead_letters WHERE id < :before ORDER BY id DESC LIMIT :limit

-- name: open_dead_letters
SELECT {dead_letter}, {dead_letter_content}
FROM dead_letters
WHERE state = 'open' AND id > :after AND id <= :until ORDER BY id LIMIT :limit

-- name: dead_letters_by_id
-- rows: id bigint
SELECT {dead_letter}, {dead_letter_content} FROM dead_letters WHERE id IN (SELECT r.id FROM {rows}) ORDER BY id

-- name: newest_dead_letters
-- Of each topic the newest that were not read after all, the newest first.
SELECT topic, reason, at FROM (
    SELECT id, topic, reason, at, row_number() OVER (PARTITION BY topic ORDER BY id DESC) AS place
    FROM dead_letters WHERE state = 'open'
) AS newest WHERE place <= :run ORDER BY id DESC

-- name: uncopied_dead_letters
SELECT {dead_letter}, {dead_letter_content} FROM dead_letters WHERE copied = 0 ORDER BY id LIMIT :limit

-- name: mark_replayed
UPDATE dead_letters SET state = 'replayed' WHERE id = :id

-- name: mark_copied
-- rows: id bigint
UPDATE dead_letters SET copied = 1 WHERE id IN (SELECT r.id FROM {rows})


-- ================================================================ versions

-- name: keep_catalog
-- Replicas that start together keep the same catalog at the same time.
INSERT INTO catalogs (version, content, at) VALUES (:version, :content, :at) ON CONFLICT (version) DO NOTHING

-- name: kept_catalog
SELECT content FROM catalogs WHERE version = :version

-- name: head
SELECT number FROM versions ORDER BY number DESC LIMIT 1

-- name: versions
SELECT number, content, catalog, parent, origin, author, note, at FROM versions ORDER BY number DESC

-- name: add_version
INSERT INTO versions (number, content, catalog, parent, origin, author, note, at, at_real)
VALUES (:number, :content, :catalog, :parent, :origin, :author, :note, :at, {clock})
ON CONFLICT (number) DO NOTHING

-- name: based_on
SELECT version FROM folders WHERE place = :place

-- name: set_base
INSERT INTO folders (place, version, at_real) VALUES (:place, :version, {clock})
ON CONFLICT (place) DO UPDATE SET version = excluded.version, at_real = excluded.at_real

-- name: clear_base
DELETE FROM folders WHERE place = :place

-- name: set_in_force
INSERT INTO replicas (name, version, at_real) VALUES (:name, :version, {clock})
ON CONFLICT (name) DO UPDATE SET version = excluded.version, at_real = excluded.at_real

-- name: clear_in_force
DELETE FROM replicas WHERE name = :name

-- name: in_force
SELECT name, version FROM replicas WHERE at_real > {clock} - :silent ORDER BY name

-- name: forget_folders
DELETE FROM folders WHERE at_real < {clock} - :silent

-- name: forget_replicas
DELETE FROM replicas WHERE at_real < {clock} - :silent


-- ================================================================ queries

-- part: outbox_row
-- In the order in which `queries._outbox_row` reads them. The version is, of those with the content of the catalog,
-- the newest that there was when the message was written. The clocks of database and process may differ a little,
-- so there may be none from before.
{notification}, settled_at, reason, message, locale, catalog, (
    SELECT coalesce(
        max(CASE WHEN v.at_real <= notifications.first_attempt_real THEN v.number END), min(v.number)
    )
    FROM versions v WHERE v.content = substr(notifications.catalog, 1, 16)
), message_id

-- name: outbox
-- An empty state is any.
SELECT {outbox_row}
FROM notifications
WHERE (:state = '' OR state = :state) AND (decided_at, key) < (:decided_at, :key)
ORDER BY decided_at DESC, key DESC LIMIT :limit

-- name: outbox_of_order
SELECT {outbox_row}
FROM notifications
WHERE order_id = :order_id AND (:state = '' OR state = :state) AND seq < :seq
ORDER BY seq DESC LIMIT :limit

-- name: outbox_place
SELECT decided_at, seq FROM notifications WHERE order_id = :order_id AND key = :key

-- name: sent
SELECT {draft}, {outbox_row}
FROM notifications
WHERE order_id = :order_id AND state IN ('sent', 'in_doubt') ORDER BY seq

-- name: timeline
SELECT order_id, line FROM entries WHERE order_id = :order_id ORDER BY id

-- name: counts
SELECT kind, word, sum(n) FROM counts GROUP BY kind, word

-- name: count_by_state
SELECT state, count(*) FROM notifications GROUP BY state

-- name: count_dead_letters
-- A dead letter that was replayed has been read anew, and is counted by what came of that.
SELECT count(*) FROM dead_letters WHERE state = 'open'

-- name: count_heads
SELECT state, count(*), min(CASE WHEN due_real <= {clock} OR lease_token IS NOT NULL THEN decided_at END)
FROM notifications WHERE due_real IS NOT NULL GROUP BY state

-- name: count_behind
SELECT state, count(*) FROM notifications WHERE due_real IS NULL AND settled_at IS NULL GROUP BY state

-- name: newest_ended_orders
SELECT {order}
FROM orders
WHERE wake_at IS NULL AND ended_at IS NOT NULL ORDER BY last_word_at DESC LIMIT :limit

-- name: some_open_orders
SELECT {order} FROM orders WHERE ended_at IS NULL LIMIT :limit

-- name: orders_by_promise
-- rows: promise text
SELECT {order}
FROM orders
WHERE promise IN (SELECT r.promise FROM {rows}) AND promise IS NOT NULL AND final <= :final ORDER BY order_id

-- name: sent_at
-- rows: order_id text, seq bigint
SELECT n.order_id, n.settled_at
FROM {rows} JOIN notifications n ON n.order_id = r.order_id AND n.seq = r.seq
WHERE n.state = 'sent'

-- name: newest_entries
-- By the key that grows with time: the newest entries of all orders, without a sort.
SELECT id, order_id, line FROM entries WHERE id < :before ORDER BY id DESC LIMIT :limit

-- name: feeds_of_orders
-- rows: order_id text
SELECT order_id, feed FROM orders WHERE order_id IN (SELECT r.order_id FROM {rows})


-- ================================================================ operations

-- name: lock_to_retry
-- What is being sent at this moment is left to its sender.
-- rows: order_id text, key text
SELECT key
FROM notifications
WHERE {named}
  AND (state = 'failed' OR state = 'dropped' AND reason = 'no_address'
       OR settled_at IS NULL AND due_real IS NOT NULL AND (lease_token IS NULL OR due_real <= {clock}))
ORDER BY key {lock}

-- name: retry
-- rows: order_id text, key text
UPDATE notifications
SET due_real = :now, not_before = NULL, lease_token = NULL,
    state = CASE WHEN settled_at IS NULL THEN state ELSE 'queued' END,
    first_attempt_real = CASE WHEN settled_at IS NULL THEN first_attempt_real END,
    settled_at = NULL, reason = NULL
WHERE {named}

-- name: lock_to_drop
-- rows: order_id text, key text
SELECT key, order_id, seq
FROM notifications
WHERE {named} AND settled_at IS NULL
  AND (state <> 'sending' OR lease_token IS NULL OR due_real <= {clock})
ORDER BY key {lock}

-- name: set_flag
INSERT INTO flags (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: set_flag_once
INSERT INTO flags (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING

-- name: clear_flag
DELETE FROM flags WHERE name = :name

-- name: flag
SELECT value FROM flags WHERE name = :name

-- name: unsubscribe
INSERT INTO unsubscribed (address_hash, at) VALUES (:address_hash, :at) ON CONFLICT (address_hash) DO NOTHING

-- name: lock_quiet_orders
-- A message may have waited long before it was sent.
SELECT order_id, final, stuck, promise
FROM orders
WHERE wake_at IS NULL AND last_word_at < :since
  AND NOT EXISTS (
    SELECT 1 FROM notifications n
    WHERE n.order_id = orders.order_id AND (n.settled_at IS NULL OR n.settled_at >= :since)
  )
ORDER BY last_word_at LIMIT :limit {lock}

-- name: count_states_of_orders
-- rows: order_id text
SELECT state, count(*) FROM notifications WHERE order_id IN (SELECT r.order_id FROM {rows}) GROUP BY state

-- name: forget_drafts
-- rows: order_id text
DELETE FROM drafts WHERE order_id IN (SELECT r.order_id FROM {rows})

-- name: forget_notifications
-- rows: order_id text
DELETE FROM notifications WHERE order_id IN (SELECT r.order_id FROM {rows})

-- name: forget_entries
-- rows: order_id text
DELETE FROM entries WHERE order_id IN (SELECT r.order_id FROM {rows})

-- name: forget_orders
-- rows: order_id text
DELETE FROM orders WHERE order_id IN (SELECT r.order_id FROM {rows})
