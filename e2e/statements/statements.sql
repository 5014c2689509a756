# Written statements of the differential test. `#? refuse` allows "not supported yet" (1235) for the next one.

# Routing by the unique vindex.
SELECT * FROM users WHERE id = 1;
SELECT id, name FROM users WHERE id = 1 AND name = 'alice';
SELECT id FROM users WHERE id = 1 AND id = 2;
SELECT id FROM users WHERE id = 1 OR id = 2 ORDER BY id;
SELECT id FROM users WHERE id IN (1, 2, 3, 3, 99) ORDER BY id;
SELECT id FROM users WHERE id IN (1, NULL);
SELECT id FROM users WHERE id NOT IN (1, 2, 3);
SELECT id FROM users WHERE id NOT IN (1, NULL);
SELECT id FROM users WHERE (id, name) IN ((1, 'alice'), (2, 'BOB'));
SELECT id FROM users WHERE (id, name) = (1, 'alice');
SELECT id FROM users WHERE id = NULL;
SELECT id FROM users WHERE id <=> NULL;
SELECT id FROM users WHERE id IS NULL;
SELECT id FROM users WHERE id BETWEEN 2 AND 5;
SELECT id FROM users WHERE NOT id = 1;
SELECT id FROM users WHERE id = 1 XOR id = 2;
SELECT id FROM users WHERE 1 = id;
SELECT id FROM users WHERE id = id;
SELECT id FROM users AS u WHERE u.id = 3;
SELECT users.id FROM users WHERE users.id = 3;
SELECT sharded.users.id FROM sharded.users WHERE sharded.users.id = 3;
SELECT `id` FROM `users` WHERE `id` = 3;
SELECT ID, Name FROM users WHERE iD = 3;
SELECT id FROM users WHERE id = 3 LIMIT 0;
SELECT id FROM users WHERE id = 3 FOR UPDATE;
SELECT id FROM users WHERE id = 3 LOCK IN SHARE MODE;
SELECT SQL_NO_CACHE id FROM users WHERE id = 3;
SELECT /*+ MAX_EXECUTION_TIME(1000) */ id FROM users WHERE id = 3;
SELECT /* comment */ id -- another
FROM users # and one more
WHERE id = 3;
SELECT id FROM users WHERE id = 3 /*!80000 AND name = 'ALICE' */;
SELECT id FROM users USE INDEX (PRIMARY) WHERE id = 3;
TABLE kinds;
#? refuse
TABLE users ORDER BY id LIMIT 2;

# Names of columns.
SELECT id+1, id  +  1, id/**/+1, COUNT(*) FROM users WHERE id = 1 GROUP BY id;
SELECT COUNT(*), count( * ), SUM(kind), sum(kind) AS s FROM users;
SELECT 1, 'x', NULL, 1.5, 1e0, x'41', TRUE, -1, 'a' 'b', _utf8mb4'c', NOW() IS NULL FROM users WHERE id = 1;
SELECT 'al' name FROM users WHERE id = 1;
SELECT "quoted", 'it''s', 'back\\slash' FROM users WHERE id = 1;
SELECT id AS `strange ``name``` FROM users WHERE id = 1;

# Order and limits over shards.
SELECT id FROM users ORDER BY id;
SELECT id FROM users ORDER BY id DESC LIMIT 3;
SELECT id, name FROM users ORDER BY name, id;
SELECT id, name FROM users ORDER BY name DESC, id LIMIT 5;
SELECT id FROM users ORDER BY score, id LIMIT 3, 4;
SELECT id FROM users ORDER BY score DESC, id DESC LIMIT 4 OFFSET 2;
SELECT id FROM users ORDER BY f, id;
SELECT id FROM users ORDER BY born, seen DESC, id;
SELECT id FROM users ORDER BY total DESC, id;
SELECT id FROM users ORDER BY email, id;
SELECT id, name FROM users ORDER BY 2, 1;
SELECT id, kind AS k FROM users ORDER BY k, id;
SELECT id FROM users ORDER BY kind IS NULL, kind, id;
SELECT id FROM users ORDER BY id LIMIT 0;
SELECT id FROM users ORDER BY id LIMIT 1000000;
SELECT id FROM users ORDER BY id LIMIT 18446744073709551615 OFFSET 15;
#? refuse
SELECT id FROM users ORDER BY CONCAT(name, id), id;
#? refuse
SELECT id FROM users ORDER BY LENGTH(name), id;
#? refuse
SELECT id FROM wide ORDER BY e, id;
#? refuse
SELECT id FROM wide ORDER BY s, id;
#? refuse
SELECT id FROM wide ORDER BY j, id;
#? refuse
SELECT id FROM wide ORDER BY r, id;
#? refuse
SELECT id FROM wide ORDER BY t DESC, id;
#? refuse
SELECT id FROM wide ORDER BY ts, id;
#? refuse
SELECT id FROM wide ORDER BY bits, id;
#? refuse
SELECT id FROM wide ORDER BY y, id;
#? refuse
SELECT id FROM wide ORDER BY bl, id;
#? refuse
SELECT id FROM wide ORDER BY latin, id;
SELECT name FROM names ORDER BY name;
SELECT code FROM codes ORDER BY code;
SELECT k FROM bins ORDER BY k;
SELECT id FROM big ORDER BY id DESC;
SELECT * FROM wide;
SELECT id, hidden, g FROM wide;

# Aggregates.
SELECT COUNT(*) FROM users;
SELECT COUNT(*) FROM users WHERE id = 12345;
SELECT COUNT(name), COUNT(kind) FROM users;
#? refuse
SELECT COUNT(DISTINCT kind) FROM users;
SELECT SUM(score), MIN(score), MAX(score), AVG(score) FROM users;
SELECT SUM(score), MIN(score), MAX(score), AVG(score) FROM users WHERE id = 12345;
SELECT SUM(kind), AVG(kind) FROM users;
SELECT MIN(name), MAX(name), MIN(email), MAX(email) FROM users;
SELECT MIN(born), MAX(born), MIN(seen), MAX(seen) FROM users;
SELECT MIN(f), MAX(f) FROM users;
SELECT MIN(total), MAX(total), SUM(total) FROM users;
SELECT MIN(id), MAX(id) FROM users;
SELECT kind, COUNT(*) FROM users GROUP BY kind ORDER BY kind;
SELECT kind, COUNT(*), SUM(score), AVG(score), MIN(name) FROM users GROUP BY kind;
SELECT kind, COUNT(*) AS c FROM users GROUP BY kind HAVING c > 1 ORDER BY c DESC, kind;
SELECT kind, COUNT(*) FROM users GROUP BY kind ORDER BY COUNT(*) DESC, kind LIMIT 2;
SELECT born, kind, COUNT(*) FROM users GROUP BY born, kind ORDER BY born, kind;
SELECT COUNT(*) FROM users GROUP BY kind;
SELECT kind FROM users GROUP BY kind;
SELECT id, COUNT(*) FROM users GROUP BY id ORDER BY id LIMIT 3;
SELECT DISTINCT kind FROM users;
SELECT DISTINCT kind FROM users ORDER BY kind DESC;
SELECT DISTINCT kind, born FROM users ORDER BY kind, born LIMIT 4;
SELECT DISTINCT score FROM users;
SELECT COUNT(DISTINCT id) FROM users;
#? refuse
SELECT COUNT(DISTINCT kind, born) FROM users;
#? refuse
SELECT SUM(DISTINCT kind) FROM users;
#? refuse
SELECT GROUP_CONCAT(id ORDER BY id) FROM users;
#? refuse
SELECT BIT_OR(kind), BIT_AND(total), BIT_XOR(kind) FROM users;
#? refuse
SELECT STDDEV(kind) FROM users;
#? refuse
SELECT kind, COUNT(*) FROM users GROUP BY kind WITH ROLLUP;
#? refuse
SELECT COUNT(*) + 1 FROM users;
#? refuse
SELECT MAX(id) - MIN(id) FROM orders JOIN users USING (id);
#? refuse
SELECT kind + 1, COUNT(*) FROM users GROUP BY kind + 1 ORDER BY kind + 1;
#? refuse
SELECT YEAR(born) AS y, COUNT(*) FROM users GROUP BY y ORDER BY y;
#? refuse
SELECT COUNT(*) FROM users HAVING COUNT(*) > 5;
#? refuse
SELECT id, ROW_NUMBER() OVER (ORDER BY id) FROM users;
SELECT user_id, SUM(amount), COUNT(*) FROM orders GROUP BY user_id ORDER BY user_id;
SELECT user_id, ROW_NUMBER() OVER (ORDER BY id) FROM orders WHERE user_id = 1;
SELECT name, COUNT(*) FROM users WHERE id = 1 GROUP BY name WITH ROLLUP;
SELECT kind, name FROM users GROUP BY kind;

# Joins and subqueries inside a shard.
SELECT u.id, o.id FROM users u JOIN orders o ON u.id = o.user_id ORDER BY u.id, o.id;
SELECT u.id, o.id FROM users u, orders o WHERE u.id = o.user_id AND u.id = 1 ORDER BY o.id;
SELECT u.id, o.id FROM users u LEFT JOIN orders o ON u.id = o.user_id ORDER BY u.id, o.id;
SELECT u.id, COUNT(o.id) FROM users u LEFT JOIN orders o ON u.id = o.user_id GROUP BY u.id ORDER BY u.id;
SELECT u.kind, SUM(o.amount) FROM users u JOIN orders o ON u.id = o.user_id GROUP BY u.kind ORDER BY u.kind;
SELECT u.id, k.label FROM users u JOIN kinds k ON k.id = u.kind ORDER BY u.id;
SELECT u.id, k.label FROM users u LEFT JOIN kinds k ON k.id = u.kind ORDER BY u.id;
SELECT u.name, k.label, o.amount FROM users u JOIN orders o ON o.user_id = u.id JOIN kinds k ON k.id = u.kind ORDER BY u.id, o.id;
SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id);
SELECT id FROM users u WHERE NOT EXISTS (SELECT * FROM orders o WHERE o.user_id = u.id) ORDER BY id;
SELECT id FROM users u WHERE id IN (SELECT user_id FROM orders o WHERE o.user_id = u.id);
SELECT id, (SELECT COUNT(*) FROM orders o WHERE o.user_id = u.id) FROM users u ORDER BY id;
SELECT id FROM users WHERE kind IN (SELECT id FROM kinds) ORDER BY id;
SELECT d.id FROM (SELECT id FROM users WHERE id = 1) d;
SELECT a.id, b.id FROM users a JOIN users b ON a.id = b.id WHERE a.id = 1;
SELECT * FROM kinds WHERE id > 1 ORDER BY id;
SELECT COUNT(*) FROM kinds;
SELECT k.id, (SELECT COUNT(*) FROM kinds) FROM kinds k ORDER BY k.id;
#? refuse
SELECT a.id, b.id FROM users a JOIN users b ON a.kind = b.id ORDER BY a.id, b.id;
#? refuse
SELECT id FROM users WHERE id IN (SELECT user_id FROM orders) ORDER BY id;
#? refuse
SELECT id FROM users WHERE id = (SELECT MAX(user_id) FROM orders);
#? refuse
SELECT COUNT(*) FROM (SELECT DISTINCT kind FROM users) d;
#? refuse
SELECT id FROM users UNION SELECT user_id FROM orders ORDER BY 1;
#? refuse
SELECT id FROM users WHERE id = 1 UNION ALL SELECT id FROM users WHERE id = 2;
SELECT id FROM users WHERE id = 1 UNION ALL SELECT user_id FROM orders WHERE user_id = 1;
#? refuse
WITH c AS (SELECT id, kind FROM users) SELECT * FROM c WHERE kind = 1 ORDER BY id;
WITH c AS (SELECT id, kind FROM users WHERE id = 1) SELECT * FROM c;
WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT * FROM c;

# Without a table.
SELECT 1;
SELECT 1 + 1, 'a';
SELECT 1 FROM DUAL WHERE 1 = 0;
SELECT DATABASE();
SELECT @@sql_mode = '', @@autocommit, @@session.time_zone IS NULL;
SELECT CONCAT('a', NULL), IFNULL(NULL, 1), CAST('12abc' AS SIGNED);
SELECT 1/0;
VALUES ROW(1, 2), ROW(3, 4);
DO 1;

# Session variables.
SET @a = 1;
SELECT @a, @b;
SET @a = 'text', @b := @a;
SELECT @a, @b;
SELECT id FROM users WHERE id = @c;
SET @id = 3;
SELECT id FROM users WHERE id = @id;
SET NAMES utf8mb4;
SET SESSION sql_mode = 'ANSI_QUOTES';
SELECT "id" FROM "users" WHERE "id" = 3;
SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES';
SELECT 'a\', id FROM users WHERE id = 3;
SET SESSION sql_mode = 'PIPES_AS_CONCAT';
SELECT 'a' || 'b' FROM users WHERE id = 3;
SET SESSION sql_mode = 'HIGH_NOT_PRECEDENCE';
SELECT id FROM users WHERE NOT id BETWEEN 1 AND 5 ORDER BY id;
SET SESSION sql_mode = DEFAULT;
SELECT id FROM users WHERE NOT id BETWEEN 1 AND 5 ORDER BY id;
SET time_zone = '+05:00';
SELECT ts FROM wide WHERE id = 1;
SET time_zone = DEFAULT;

# Writes.
INSERT INTO users (id, name) VALUES (100, 'hundred');
SELECT LAST_INSERT_ID();
INSERT INTO users (id, name) VALUES (101, 'a'), (102, 'b'), (103, 'c'), (104, 'd');
SELECT ROW_COUNT();
INSERT INTO users SET id = 105, name = 'set';
INSERT INTO users VALUES (106, 'all', NULL, 1, 1.5, 2.5, '2000-01-01', NULL, 3);
INSERT INTO users (name, id) VALUES ('turned', 107);
INSERT INTO users (id) VALUES (100);
INSERT INTO users (id, name) VALUES (108, 'ok'), (100, 'duplicate'), (109, 'never');
SELECT id FROM users WHERE id IN (108, 109);
INSERT IGNORE INTO users (id, name) VALUES (100, 'ignored'), (108, 'new');
INSERT INTO users (id, kind) VALUES (100, 1), (110, 1) ON DUPLICATE KEY UPDATE kind = 9;
INSERT INTO users (id, kind) VALUES (100, 1) AS new ON DUPLICATE KEY UPDATE kind = new.kind + 1;
REPLACE INTO users (id, name) VALUES (100, 'replaced'), (111, 'new');
INSERT INTO users (id, email) VALUES (112, 'u1@x.org'), (113, 'fresh@x.org');
INSERT INTO users (id, score) VALUES (114, 'abc');
INSERT INTO users (id, score) VALUES (115, 123456789.5);
INSERT INTO users (id, born) VALUES (116, '2024-02-30');
INSERT INTO users (id, nope) VALUES (117, 1);
INSERT INTO users (id, name) VALUES (118);
INSERT INTO users (name) VALUES ('no key');
INSERT INTO users (id) VALUES (NULL);
INSERT INTO users (id, name) VALUES (DEFAULT, 'x');
INSERT INTO users () VALUES ();
INSERT INTO users (id, name, total) VALUES (119, DEFAULT, DEFAULT);
INSERT INTO users (id, kind, total) VALUES (120, 1 + 2, kind * 10);
INSERT INTO users (id, name) VALUES (121, REPEAT('x', 51));
INSERT INTO orders (user_id, id, amount) VALUES (100, 1, 1.1), (101, 1, 2.2), (100, 2, 3.3);
INSERT INTO wide (id, e) VALUES (200, 'medium'), (201, 2);
INSERT INTO wide (id, e) VALUES (202, 'huge');
INSERT INTO wide (id, hidden) VALUES (203, 9);
INSERT INTO wide (id, g) VALUES (204, 1);
INSERT INTO names (name) VALUES ('ALICE');
INSERT INTO names (name) VALUES ('É'), ('new');
INSERT INTO kinds (id, label) VALUES (7, 'seven');
UPDATE kinds SET label = 'SEVEN' WHERE id = 7;
DELETE FROM kinds WHERE id = 7;
#? refuse
INSERT INTO users (id, name) SELECT id + 1000, label FROM kinds;
UPDATE users SET name = 'one' WHERE id = 1;
UPDATE users SET name = 'one' WHERE id = 1;
UPDATE users SET kind = kind + 1 WHERE id IN (1, 2, 3);
UPDATE users SET kind = 1 WHERE kind = 1;
UPDATE users SET kind = kind * 2, name = UPPER(name) WHERE id > 100;
UPDATE users SET score = 'abc' WHERE id = 1;
UPDATE users SET email = 'u2@x.org' WHERE id = 3;
UPDATE users SET nope = 1;
UPDATE users SET name = 'none' WHERE id = 98765;
UPDATE users u SET u.name = 'aliased' WHERE u.id = 2;
#? refuse
UPDATE users SET id = 1001 WHERE id = 100;
#? refuse
UPDATE users SET name = 'limited' ORDER BY id LIMIT 1;
UPDATE users SET name = 'limited' WHERE id = 2 ORDER BY id LIMIT 1;
#? refuse
UPDATE users u JOIN orders o ON o.user_id = u.id SET u.name = 'joined' WHERE o.amount > 100;
DELETE FROM users WHERE id = 111;
DELETE FROM users WHERE id IN (105, 106, 98765);
DELETE FROM users WHERE name = 'TURNED';
DELETE FROM orders WHERE user_id = 100 AND id = 2;
#? refuse
DELETE FROM users ORDER BY id DESC LIMIT 1;
#? refuse
DELETE u FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = 101;

# Transactions inside a shard.
BEGIN;
INSERT INTO users (id, name) VALUES (300, 'in transaction');
SELECT name FROM users WHERE id = 300;
SAVEPOINT a;
UPDATE users SET name = 'changed' WHERE id = 300;
ROLLBACK TO a;
SELECT name FROM users WHERE id = 300;
RELEASE SAVEPOINT a;
ROLLBACK;
SELECT name FROM users WHERE id = 300;
START TRANSACTION;
INSERT INTO users (id, name) VALUES (300, 'stays');
COMMIT;
SELECT name FROM users WHERE id = 300;
SET autocommit = 0;
INSERT INTO users (id, name) VALUES (301, 'gone');
ROLLBACK;
SET autocommit = 1;
SELECT COUNT(*) FROM users WHERE id = 301;
START TRANSACTION READ ONLY;
SELECT id FROM users WHERE id = 1;
UPDATE users SET name = 'x' WHERE id = 1;
COMMIT;
ROLLBACK TO nowhere;

# Errors. Where the gateway refuses before MySQL is asked, 1235 is as clear.
SELECT nope FROM users;
SELECT nope FROM users WHERE id = 1;
SELECT * FROM nowhere;
#? refuse
SELECT * FROM users, users;
SELECT users.id FROM users u;
SELECT id FROM users u JOIN orders o ON u.id = o.user_id;
SELECT id FROM users ORDER BY nope;
#? refuse
SELECT id FROM users ORDER BY 2;
#? refuse
SELECT NOPE(id) FROM users;
SELECT COUNT(id, name) FROM users;
SELECT id FROM users WHERE;
SELECT id FROM users WHERE id = 'unterminated;
SELEC id FROM users;
INSERT INTO users;
SELECT id FROM users LIMIT -1;
SELECT id FROM users LIMIT 1, ;
SELECT 1;

# Names of things.
SHOW TABLES;
SHOW COLUMNS FROM users;
DESCRIBE orders;
SHOW CREATE TABLE kinds;
SHOW WARNINGS;
SHOW COUNT(*) WARNINGS;
SHOW COLLATION LIKE 'utf8mb4_0900_ai_ci';
SHOW VARIABLES LIKE 'sql_mode';
SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = 'sharded' ORDER BY t, ordinal_position;
