-- Open sagas are few among many that ended, and operators look at them in the order of their ids. Together these two
-- are written as often as the one index they replace: once at the start of a saga, once at its end.
DROP INDEX saga_by_outcome;
CREATE INDEX saga_by_outcome ON saga (outcome, id) WHERE outcome IS NOT NULL;
CREATE INDEX saga_open ON saga (id) WHERE outcome IS NULL;
