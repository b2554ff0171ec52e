-- Messages that a channel accepted and has not answered yet. `owner` is `channel/<namespace>/<name>`; `scope` and `id` are those under
-- which the message was taken. `attempt` counts the holds; the present one ends at `lease_micros`.
CREATE TABLE accepted (
  owner           TEXT    NOT NULL,
  scope           TEXT    NOT NULL,
  id              TEXT    NOT NULL,
  bot             TEXT    NOT NULL,
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
