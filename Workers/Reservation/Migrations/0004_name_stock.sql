-- Names the stock that is in this database now. Another database in its place has another name: one restored from a
-- backup, a standby that was promoted, a new cluster. Whoever caches numbers of the stock keeps the name with them, and
-- trusts them no longer than it stays. A restart of the server changes it too, which only makes caches read again.
CREATE FUNCTION stock_epoch() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT extract(epoch FROM pg_postmaster_start_time())::text || '/'
        || pg_relation_filenode('reservation.tier'::regclass)::text
$$;

REVOKE ALL ON FUNCTION stock_epoch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stock_epoch TO turnstile_reservation, turnstile_orchestrator;
