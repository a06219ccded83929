/**
 * Tables of a gateway's database. Amounts are decimal text, since they exceed 64 bits. No secret is ever written here: API keys are signed
 * with in memory, and only the vouchers they gave are kept.
 */
export const paymentSchema = `
CREATE TABLE IF NOT EXISTS channels(
  id TEXT PRIMARY KEY,
  config TEXT NOT NULL,
  -- claimed on chain when the channel was first seen here
  baseline TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lanes(
  channel TEXT NOT NULL, lane INTEGER NOT NULL,
  baseline TEXT NOT NULL,
  -- claimed on chain as of the last settlement
  claimed TEXT NOT NULL,
  -- what vouchers promise, and the part of it that was used
  accepted TEXT NOT NULL, spent TEXT NOT NULL,
  -- the present run: amounts above run_from go along run_allocation
  run_from TEXT NOT NULL, run_allocation TEXT NOT NULL,
  PRIMARY KEY(channel, lane)
) STRICT;
CREATE TABLE IF NOT EXISTS runs(
  channel TEXT NOT NULL, lane INTEGER NOT NULL, run_from TEXT NOT NULL,
  allocation TEXT NOT NULL, allocation_hash TEXT NOT NULL,
  cumulative TEXT NOT NULL, request_hash TEXT NOT NULL, signature TEXT NOT NULL,
  claimed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(channel, lane, run_from)
) STRICT;
CREATE TABLE IF NOT EXISTS calls(
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL, lane INTEGER NOT NULL, request_hash TEXT NOT NULL,
  idempotency_key TEXT,
  version INTEGER NOT NULL, model_digest TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
  text TEXT NOT NULL,
  -- null while the answer is not complete
  finish TEXT,
  delivered INTEGER NOT NULL DEFAULT 0,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS calls_of_request ON calls(channel, lane, request_hash);
CREATE TABLE IF NOT EXISTS vouchers(digest TEXT PRIMARY KEY, call TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS segments(
  call TEXT NOT NULL, seq INTEGER NOT NULL,
  amount_from TEXT NOT NULL, amount_to TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
  text TEXT NOT NULL, provider TEXT NOT NULL,
  PRIMARY KEY(call, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS receipts(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, published INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS settlements(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, items TEXT NOT NULL, tx TEXT
) STRICT;
`
