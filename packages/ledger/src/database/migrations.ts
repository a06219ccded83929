/**
 * The tables, as numbered steps; a step once released never changes.
 *
 * Everything that follows from an event hangs on its row in `events` and goes with it: taking back a block is one DELETE.
 * `seq` = block * 1,000,000 + log index: the order of the chain, and the same number on every rebuild.
 * Columns hold whatever the contracts can emit: a value that does not fit would stop the cursor for good.
 * What comes from documents (claims, payouts, receipts) is addressed by digest and does not depend on the chain's last blocks.
 */
const event = 'seq bigint PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE'

export const migrations: readonly { id: number; sql: string }[] = [
  {
    id: 1,
    sql: `
CREATE TABLE cursor (one boolean PRIMARY KEY DEFAULT true CHECK (one), network text NOT NULL, block bigint NOT NULL);
CREATE TABLE blocks (block bigint PRIMARY KEY, hash text NOT NULL);

CREATE TABLE events (
  seq bigint PRIMARY KEY, block bigint NOT NULL, log_index integer NOT NULL, tx_hash text NOT NULL,
  contract text NOT NULL, name text NOT NULL, at_s bigint, args jsonb NOT NULL, UNIQUE (tx_hash, log_index));
CREATE INDEX events_name ON events (contract, name, seq);
CREATE INDEX events_block ON events (block);

CREATE TABLE node_changes (${event}, node text NOT NULL, key text, roles bigint, endpoint text);
CREATE INDEX node_changes_node ON node_changes (node);
CREATE INDEX node_changes_key ON node_changes (key);
CREATE VIEW nodes AS SELECT node,
  (array_agg(key ORDER BY seq DESC) FILTER (WHERE key IS NOT NULL))[1] AS key,
  (array_agg(roles ORDER BY seq DESC) FILTER (WHERE roles IS NOT NULL))[1] AS roles,
  (array_agg(endpoint ORDER BY seq DESC) FILTER (WHERE endpoint IS NOT NULL))[1] AS endpoint
  FROM node_changes GROUP BY node;

CREATE TABLE asset_creations (${event}, asset bigint NOT NULL UNIQUE, originator text NOT NULL, tokens text[] NOT NULL);
CREATE TABLE asset_owners (${event}, asset bigint NOT NULL, owner text NOT NULL);
CREATE INDEX asset_owners_asset ON asset_owners (asset, seq);
CREATE VIEW assets AS SELECT c.seq, c.asset, c.originator, c.tokens,
  (SELECT o.owner FROM asset_owners o WHERE o.asset = c.asset ORDER BY o.seq DESC LIMIT 1) AS owner
  FROM asset_creations c;

CREATE TABLE versions (${event}, version bigint NOT NULL UNIQUE, asset bigint NOT NULL, originator text NOT NULL,
  codec integer NOT NULL, digest text NOT NULL, root text NOT NULL, licence_digest text NOT NULL, metadata_digest text NOT NULL,
  purposes bigint NOT NULL, min_share bigint NOT NULL, owner_share integer NOT NULL, contributors_share integer NOT NULL,
  contributors_root text NOT NULL, contributors_total numeric(78, 0) NOT NULL, train_price numeric(78, 0) NOT NULL);
CREATE TABLE parents (seq bigint NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
  child bigint NOT NULL, parent bigint NOT NULL, share integer NOT NULL, PRIMARY KEY (child, parent));
CREATE INDEX parents_parent ON parents (parent);
CREATE INDEX parents_seq ON parents (seq);

CREATE TABLE jobs (${event}, job bigint NOT NULL UNIQUE, builder text NOT NULL, token text NOT NULL,
  pay_per_round numeric(78, 0) NOT NULL, rounds bigint NOT NULL, trust_class integer NOT NULL,
  spec_digest text NOT NULL, terms jsonb NOT NULL);
CREATE TABLE enrolments (${event}, job bigint NOT NULL, node text NOT NULL, role bigint NOT NULL, position bigint NOT NULL);
CREATE INDEX enrolments_job ON enrolments (job);
CREATE INDEX enrolments_node ON enrolments (node);
CREATE TABLE round_steps (${event}, job bigint NOT NULL, round bigint, step text NOT NULL, actor text, subject text, detail jsonb NOT NULL);
CREATE INDEX round_steps_job ON round_steps (job, round, step);
CREATE VIEW rounds AS SELECT job, round,
  max(seq) FILTER (WHERE step = 'fixed') AS fixed_seq,
  max(seq) FILTER (WHERE step = 'proposed') AS proposed_seq,
  max(seq) FILTER (WHERE step = 'final') AS final_seq,
  max(detail ->> 'beacon') FILTER (WHERE step = 'beacon') AS beacon,
  max(detail ->> 'setRoot') FILTER (WHERE step = 'fixed') AS set_root,
  max((detail ->> 'count')::bigint) FILTER (WHERE step = 'fixed') AS claims,
  max(detail ->> 'auditRoot') FILTER (WHERE step = 'final') AS report,
  max(detail ->> 'payoutRoot') FILTER (WHERE step = 'final') AS payout_root,
  max((detail ->> 'payoutTotal')::numeric) FILTER (WHERE step = 'final') AS payout_total,
  max(detail ->> 'stateDigest') FILTER (WHERE step = 'final') AS state_digest
  FROM round_steps WHERE round IS NOT NULL GROUP BY job, round;
CREATE TABLE votes (${event}, job bigint NOT NULL, subject text NOT NULL, validator text NOT NULL, found text NOT NULL);
CREATE INDEX votes_subject ON votes (job, subject);
CREATE TABLE convictions (${event}, job bigint NOT NULL, round bigint NOT NULL, node text NOT NULL, of text NOT NULL,
  subject text NOT NULL, slashed numeric(78, 0) NOT NULL);
CREATE INDEX convictions_job ON convictions (job, node);
CREATE TABLE slashes (${event}, locker text NOT NULL, node text NOT NULL, task text NOT NULL,
  burned numeric(78, 0) NOT NULL, rewarded numeric(78, 0) NOT NULL);
CREATE INDEX slashes_node ON slashes (node);

CREATE TABLE payments (${event}, tx_hash text NOT NULL, kind text NOT NULL, token text NOT NULL, amount numeric(78, 0) NOT NULL,
  version bigint, parent bigint, account text, position numeric(20, 0), job bigint, channel text, cumulative numeric(78, 0));
CREATE INDEX payments_version ON payments (version, token, kind, seq);
CREATE INDEX payments_parent ON payments (parent, token, seq) WHERE parent IS NOT NULL;
CREATE INDEX payments_account ON payments (account, token, kind, seq);
CREATE INDEX payments_tx ON payments (tx_hash);
CREATE INDEX payments_job ON payments (job, kind) WHERE job IS NOT NULL;

CREATE TABLE channels (${event}, channel text NOT NULL, payer text NOT NULL, signer text NOT NULL, operator text NOT NULL,
  token text NOT NULL, withdraw_delay bigint NOT NULL, salt text NOT NULL);
CREATE INDEX channels_channel ON channels (channel);
CREATE TABLE settlements (${event}, tx_hash text NOT NULL, operator text NOT NULL, token text NOT NULL, version bigint NOT NULL,
  provider text NOT NULL, provider_share integer NOT NULL, gateway text NOT NULL, gateway_share integer NOT NULL,
  to_version numeric(78, 0) NOT NULL, to_provider numeric(78, 0) NOT NULL, to_gateway numeric(78, 0) NOT NULL, paid_seq bigint);
CREATE INDEX settlements_tx ON settlements (tx_hash);
CREATE INDEX settlements_paid ON settlements (paid_seq);
CREATE INDEX settlements_provider ON settlements (provider, token, seq);
CREATE INDEX settlements_gateway ON settlements (gateway, token, seq);
CREATE TABLE vouchers (${event}, tx_hash text NOT NULL, channel text NOT NULL, lane bigint NOT NULL,
  cumulative numeric(78, 0) NOT NULL, amount numeric(78, 0) NOT NULL, request_hash text NOT NULL, settlement bigint);
CREATE INDEX vouchers_lane ON vouchers (channel, lane, cumulative);
CREATE INDEX vouchers_settlement ON vouchers (settlement);

CREATE TABLE documents (digest text PRIMARY KEY, state text NOT NULL, type text, body jsonb, reason text,
  attempts integer NOT NULL DEFAULT 0, next_at_ms bigint NOT NULL DEFAULT 0);
CREATE INDEX documents_wanted ON documents (next_at_ms) WHERE state = 'wanted';
CREATE TABLE claims (report text NOT NULL, position integer NOT NULL, job bigint NOT NULL, round bigint NOT NULL,
  hash text NOT NULL, worker text NOT NULL, share integer NOT NULL, rate_ppm integer NOT NULL, auditor text, outcome text NOT NULL,
  weight_ppm integer NOT NULL, pay numeric(78, 0) NOT NULL, payout text NOT NULL, PRIMARY KEY (report, position));
CREATE INDEX claims_round ON claims (job, round);
CREATE INDEX claims_worker ON claims (worker);
CREATE TABLE payouts (document text NOT NULL, position integer NOT NULL, job bigint NOT NULL, round bigint NOT NULL,
  account text NOT NULL, amount numeric(78, 0) NOT NULL, PRIMARY KEY (document, position));
CREATE INDEX payouts_account ON payouts (account);
CREATE TABLE receipts (id text PRIMARY KEY, request_hash text NOT NULL, response_hash text NOT NULL, version bigint NOT NULL,
  model_digest text NOT NULL, gateway text NOT NULL, provider text NOT NULL, channel text NOT NULL, lane bigint NOT NULL,
  from_amount numeric(78, 0) NOT NULL, to_amount numeric(78, 0) NOT NULL, prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL, at_ms bigint NOT NULL, signature text NOT NULL);
CREATE INDEX receipts_request ON receipts (request_hash);
CREATE INDEX receipts_lane ON receipts (channel, lane, to_amount);
CREATE TABLE beats (job bigint NOT NULL, round bigint NOT NULL, share integer NOT NULL, worker text NOT NULL,
  step bigint NOT NULL, steps bigint NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY (job, round, share, worker));
`,
  },
  {
    id: 2,
    sql: `
CREATE TABLE challenges (${event}, challenge numeric(78, 0) NOT NULL, job bigint NOT NULL, subject text NOT NULL,
  challenger text NOT NULL, segment bigint NOT NULL);
CREATE INDEX challenges_subject ON challenges (job, subject);
CREATE TABLE games (${event}, game numeric(78, 0) NOT NULL, challenge numeric(78, 0) NOT NULL, champion text NOT NULL);
CREATE INDEX games_challenge ON games (challenge);
CREATE TABLE moves (${event}, game numeric(78, 0) NOT NULL, move integer NOT NULL, by_challenger boolean NOT NULL);
CREATE INDEX moves_game ON moves (game);
CREATE TABLE game_ends (${event}, game numeric(78, 0) NOT NULL, winner text NOT NULL, move integer NOT NULL);
CREATE INDEX game_ends_game ON game_ends (game);
`,
  },
  {
    id: 3,
    sql: `
ALTER TABLE claims ADD COLUMN value_micro bigint, ADD COLUMN counted_micro bigint, ADD COLUMN finding text, ADD COLUMN like_share integer;
`,
  },
]
