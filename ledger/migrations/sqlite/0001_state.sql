-- Every table's key begins with whose row it is, down to the UID of the object: `bot` is `namespace/name/uid`, `owner` is
-- `bot/<namespace>/<name>/<uid>`, `channel/<namespace>/<name>/<uid>` or `workspace/<namespace>/<uid>`.

-- The end of each bot's audit chain. Kept apart from the records, so that a cut-off tail shows.
CREATE TABLE audit_head (
  bot         TEXT    NOT NULL PRIMARY KEY,
  sequence    INTEGER NOT NULL,
  hash        TEXT    NOT NULL,
  time_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_record (
  bot            TEXT    NOT NULL,
  sequence       INTEGER NOT NULL,
  time_micros    INTEGER NOT NULL,
  kind           TEXT    NOT NULL,
  session        TEXT    NOT NULL,
  turn           TEXT    NOT NULL,
  call_id        TEXT    NOT NULL,
  user           TEXT    NOT NULL,
  tool           TEXT    NOT NULL,
  verdict        TEXT    NOT NULL,
  reason         TEXT    NOT NULL,
  grant_name     TEXT    NOT NULL,
  policy_digest  TEXT    NOT NULL,
  arguments_json TEXT    NOT NULL,
  detail_json    TEXT    NOT NULL,
  trace_id       TEXT    NOT NULL,
  previous_hash  TEXT    NOT NULL,
  hash           TEXT    NOT NULL,
  PRIMARY KEY (bot, sequence)
) STRICT;

CREATE INDEX audit_record_by_session ON audit_record (bot, session, sequence);

CREATE TRIGGER audit_record_is_never_changed BEFORE UPDATE ON audit_record
BEGIN
  SELECT RAISE(ABORT, 'an audit record is never changed');
END;

CREATE TRIGGER audit_record_is_never_deleted BEFORE DELETE ON audit_record
BEGIN
  SELECT RAISE(ABORT, 'an audit record is never deleted');
END;

-- `holder` is NULL after a release. `fence` counts the holds.
CREATE TABLE session (
  bot            TEXT    NOT NULL,
  session        TEXT    NOT NULL,
  user           TEXT    NOT NULL,
  channel        TEXT    NOT NULL,
  created_micros INTEGER NOT NULL,
  fence          INTEGER NOT NULL,
  holder         TEXT,
  expires_micros INTEGER NOT NULL,
  last_position  INTEGER NOT NULL,
  PRIMARY KEY (bot, session)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
  bot          TEXT    NOT NULL,
  session      TEXT    NOT NULL,
  position     INTEGER NOT NULL,
  role         TEXT    NOT NULL,
  content_json TEXT    NOT NULL,
  turn         TEXT    NOT NULL,
  time_micros  INTEGER NOT NULL,
  PRIMARY KEY (bot, session, position),
  FOREIGN KEY (bot, session) REFERENCES session (bot, session)
) STRICT;

-- `outcome` and `finished_micros` are NULL until the call was finished.
CREATE TABLE call (
  bot             TEXT    NOT NULL,
  call_id         TEXT    NOT NULL,
  session         TEXT    NOT NULL,
  turn            TEXT    NOT NULL,
  tool            TEXT    NOT NULL,
  idempotent      INTEGER NOT NULL,
  started_micros  INTEGER NOT NULL,
  outcome         TEXT,
  finished_micros INTEGER,
  PRIMARY KEY (bot, call_id),
  FOREIGN KEY (bot, session) REFERENCES session (bot, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_unfinished ON call (bot, session, started_micros) WHERE finished_micros IS NULL;

CREATE TABLE usage (
  id                  INTEGER PRIMARY KEY,
  bot                 TEXT    NOT NULL,
  time_micros         INTEGER NOT NULL,
  provider            TEXT    NOT NULL,
  model               TEXT    NOT NULL,
  session             TEXT    NOT NULL,
  turn                TEXT    NOT NULL,
  input_tokens        INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL,
  output_tokens       INTEGER NOT NULL,
  cost_micro_usd      INTEGER NOT NULL
) STRICT;

CREATE INDEX usage_by_time ON usage (bot, time_micros);

-- Ids that were taken. `owner` is a bot or a channel.
CREATE TABLE taken (
  owner          TEXT    NOT NULL,
  scope          TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  expires_micros INTEGER NOT NULL,
  PRIMARY KEY (owner, scope, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX taken_by_expiry ON taken (expires_micros);

-- Settled use of quotas and budgets, summed in buckets of a sixtieth of the window. `leaves_micros` is when the bucket has left the
-- window. A budget has no binding and no grant.
CREATE TABLE quota_use (
  owner          TEXT    NOT NULL,
  binding        TEXT    NOT NULL,
  grant_name     TEXT    NOT NULL,
  quota          TEXT    NOT NULL,
  window_seconds INTEGER NOT NULL,
  bucket_micros  INTEGER NOT NULL,
  leaves_micros  INTEGER NOT NULL,
  amount         INTEGER NOT NULL,
  PRIMARY KEY (owner, binding, grant_name, quota, window_seconds, bucket_micros)
) STRICT, WITHOUT ROWID;

CREATE INDEX quota_use_by_leaving ON quota_use (leaves_micros);

-- `ended_micros` is NULL while the reservation is open; `settled` says whether it ended by a settlement or by expiry.
CREATE TABLE reservation (
  bot             TEXT    NOT NULL,
  reservation     TEXT    NOT NULL,
  reserved_micros INTEGER NOT NULL,
  expires_micros  INTEGER NOT NULL,
  ended_micros    INTEGER,
  settled         INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (bot, reservation)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_open ON reservation (expires_micros) WHERE ended_micros IS NULL;
CREATE INDEX reservation_ended ON reservation (ended_micros) WHERE ended_micros IS NOT NULL;

-- The counters of a reservation: what is reserved while it is open, what was used afterwards. `bot` and `reservation` say whose
-- reservation it is; `owner` whose counter.
CREATE TABLE reserved (
  bot            TEXT    NOT NULL,
  reservation    TEXT    NOT NULL,
  owner          TEXT    NOT NULL,
  binding        TEXT    NOT NULL,
  grant_name     TEXT    NOT NULL,
  quota          TEXT    NOT NULL,
  window_seconds INTEGER NOT NULL,
  amount         INTEGER NOT NULL,
  expires_micros INTEGER NOT NULL,
  leaves_micros  INTEGER NOT NULL,
  open           INTEGER NOT NULL,
  PRIMARY KEY (bot, reservation, owner, binding, grant_name, quota, window_seconds),
  FOREIGN KEY (bot, reservation) REFERENCES reservation (bot, reservation) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX reserved_open ON reserved (owner, binding, grant_name, quota, window_seconds) WHERE open = 1;

-- Messages that a channel accepted and has not answered yet. `owner` is a channel; `scope` and `id` are those under
-- which the message was taken. `attempt` counts the holds; the present one ends at `lease_micros`.
CREATE TABLE accepted (
  owner           TEXT    NOT NULL,
  scope           TEXT    NOT NULL,
  id              TEXT    NOT NULL,
  bot             TEXT    NOT NULL,
  bot_uid         TEXT    NOT NULL,
  session         TEXT    NOT NULL,
  user            TEXT    NOT NULL,
  text            TEXT    NOT NULL,
  message_id      TEXT    NOT NULL,
  accepted_micros INTEGER NOT NULL,
  attempt         INTEGER NOT NULL,
  lease_micros    INTEGER NOT NULL,
  PRIMARY KEY (owner, scope, id)
) STRICT;

CREATE INDEX accepted_by_lease ON accepted (owner, scope, lease_micros);
CREATE INDEX accepted_by_age ON accepted (accepted_micros);
