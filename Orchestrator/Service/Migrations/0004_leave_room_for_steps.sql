-- A purchase is written anew at every step. While its page has room for that, no index is touched; at 70 of 100 a third
-- of the steps that could do without new index entries found none.
ALTER TABLE saga SET (fillfactor = 50);
