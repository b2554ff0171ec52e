-- Counters have an owner of their own: `bot/<namespace>/<name>` for a bot's budgets and its grants' quotas, `workspace/<namespace>`
-- for what all bots of a namespace share. A budget has no binding and no grant.

DROP INDEX quota_use_by_leaving;
ALTER TABLE quota_use RENAME TO quota_use_of_bots;

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

INSERT INTO quota_use (owner, binding, grant_name, quota, window_seconds, bucket_micros, leaves_micros, amount)
  SELECT 'bot/' || bot, binding, grant_name, quota, window_seconds, bucket_micros, leaves_micros, amount
  FROM quota_use_of_bots;

DROP TABLE quota_use_of_bots;

CREATE INDEX quota_use_by_leaving ON quota_use (leaves_micros);

DROP INDEX reserved_open;
ALTER TABLE reserved RENAME TO reserved_of_bots;

-- `bot` and `reservation` say whose reservation it is; `owner` whose counter.
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

INSERT INTO reserved
  (bot, reservation, owner, binding, grant_name, quota, window_seconds, amount, expires_micros, leaves_micros, open)
  SELECT bot, reservation, 'bot/' || bot, binding, grant_name, quota, window_seconds, amount, expires_micros, leaves_micros, open
  FROM reserved_of_bots;

DROP TABLE reserved_of_bots;

CREATE INDEX reserved_open ON reserved (owner, binding, grant_name, quota, window_seconds) WHERE open = 1;
