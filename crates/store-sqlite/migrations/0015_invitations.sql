-- Who was added to a tenant belongs to it once they took its invitation up: until then the membership is pending and counts for nothing.
-- Those that are there already stand as accepted, since before all that is known.

-- When they accepted; null: pending. When they last entered this tenant: there they are when they sign in and name none.
ALTER TABLE user_tenant ADD COLUMN accepted_at INTEGER;
ALTER TABLE user_tenant ADD COLUMN entered_at INTEGER;
UPDATE user_tenant SET accepted_at = 0;

ALTER TABLE member ADD COLUMN is_pending INTEGER NOT NULL DEFAULT 0;
-- While pending: how whoever added them calls them. The tenant learns nothing of what the account says elsewhere.
ALTER TABLE member ADD COLUMN invited_as TEXT;
-- While pending: SHA-256 of the token with which they take it up; null: it was taken back.
ALTER TABLE member ADD COLUMN invitation_hash BLOB;
ALTER TABLE member ADD COLUMN invitation_ends_at INTEGER;
CREATE UNIQUE INDEX member_invitation ON member (tenant_id, invitation_hash) WHERE invitation_hash IS NOT NULL;
