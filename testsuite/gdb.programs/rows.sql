CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT);
WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 300)
  INSERT INTO t SELECT i, (i * 7919) % 107, 'name' || ((i * 104729) % 53) FROM r;
SELECT a % 13, count (*), min (b), max (b) FROM t GROUP BY a % 13 ORDER BY 1;
SELECT count (*) FROM t WHERE b LIKE '%9%';
UPDATE t SET a = a + 1 WHERE id % 7 = 0;
DELETE FROM t WHERE a < 20;
INSERT INTO t VALUES (1000, 1, 'one'), (1001, 2, 'two');
SELECT total_changes ();
