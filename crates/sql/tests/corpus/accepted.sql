SELECT c FROM sbtest1 WHERE id=12345
SELECT c FROM sbtest1 WHERE id BETWEEN 4990 AND 5089 ORDER BY c
SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 4990 AND 5089 ORDER BY c
SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 4990 AND 5089
UPDATE sbtest1 SET k=k+1 WHERE id=5010
DELETE FROM sbtest1 WHERE id=5010
INSERT INTO sbtest1 (id, k, c, pad) VALUES (5010, 4992, 'c', 'pad'), (5011, -1, 'c''d', "x")
select * from t1, t2 as b where t1.a = b.a and (t1.b > 1 or not t1.c <=> null)
select a, t.b as `x y`, db1.t.c z, count(*) 'n' from t group by a, b having count(*) > 1 order by 1 desc, b limit 5, 10
select all high_priority sql_no_cache sql_calc_found_rows a from t limit 5 offset 1
select distinct straight_join sql_big_result a from t
select * , a from t
select t.*, db1.t.* from t
select 1 where 1
select 1 from dual where 2 > 1
select a from t as x use index (i1, primary) ignore key for order by (i2), u force index for join (i3) where x.a = u.a
select a from t partition (p0, p1) as x
select * from t join u using (a, b) join t as v on v.a=u.a
select * from t left join u left join t v on v.a=u.a on t.a=u.a
select * from t join u join t v on v.a=u.a on t.a=u.a
select * from t join u left join t v on v.a=u.a
select * from t, u join t v on 1
select * from t natural join u natural left join v cross join w straight_join x on x.a = w.a right outer join y on 1
select * from { oj t left join u on t.a=u.a }
select * from (t, u) left join (v cross join w) on (t.a = v.a and u.b = w.b)
select 1 from ((select 1) as x join (select 2) as y)
select 1 from ((select 1) union select 2) x
select * from lateral (select 1) x
select * from t, lateral (select t.a) as x(y)
select * from (values row(1,2), row(3,4)) as v(a, b)
select * from json_table('[1]', '$[*]' columns (x for ordinality, y int path '$' default '1' on empty null on error, nested path '$.a' columns (z int exists path '$'))) as jt
with x as (select 1 as a), y (b) as (select a + 1 from x) select * from x, y
with recursive n(i) as (select 1 union all select i + 1 from n where i < 10) select * from n
with x as (select 1) (select * from x)
(with x as (select 1) select * from x)
select 1 union select 2 order by 1 limit 1
select 1 union all select 2 intersect select 3 except distinct select 4
select 1 union (select 2 union select 3)
(select a from t limit 1) union all (select b from u order by b limit 2) order by 1 limit 3
((select 1)) limit 1
table t order by a limit 2
table t union values row(1), row(2)
values row(1,2), row(3,4) order by 1 limit 1
select a from t for share skip locked for update of t nowait
select a from t lock in share mode
select 1 limit 1 for update into @x
select 1 into @x from dual
select a, b into @x, @y from t where id = 1
select a into outfile '/tmp/x' character set utf8mb4 fields terminated by ',' optionally enclosed by '"' escaped by '\\' lines starting by '>' terminated by '\n' from t
select a from t into dumpfile '/tmp/y'
select /*+ MAX_EXECUTION_TIME(1000) */ a from t
select a from t where a in (1, 2, 3) and b not in ('x', "y") and (a, b) in ((1, 'x'), (2, 'y'))
select a from t where a in (select b from u) and b not in (select 1 union select 2) and c in ((select 1), 2)
select a from t where a = any (select 1) and b <> all (table u) and exists (table u) and not exists (select 1)
select a from t where (a, b) = (select 1, 2) or row(a, b) < (3, 4)
select ((select 1)) + 1, ((select 1) union (select 2) limit 1)
select a from t where a between 1 and 2 and b not between -1 and +1 or c between 1 and 2 between 0 and 1
select a from t where a like 'x%' and b not like 'y' escape '|' and c regexp '^a' and d not rlike 'b' and e sounds like 'f'
select a is null, b is not true, c is unknown, d is not false, a is null is null
select 1 member of('[1]'), 1 member ('[1]') = 1
select case a when 1 then 'x' when 2 then 'y' else 'z' end, case when a > 1 then 2 end
select cast(a as signed), cast(b as unsigned integer), cast(c as char(10) character set latin1), cast(d as decimal(10, 2)), cast('2020-01-01' as datetime(3)), cast(x as json), cast(y as double), cast(z as year)
select convert(1, char), convert('a' using utf8mb4), char(65, 66 using latin1), binary 'a' = 'A'
select cast(timestamp'2020-01-01 00:00:00' at time zone '+00:00' as datetime)
select trim(both from ' a '), trim(leading 'a' from 'ab'), trim('a' from 'ab'), trim(' a ')
select substring('abc' from 2 for 1), substr('abc', 2), mid('abc' from 2), substring('abc', -1, 1)
select position('a' in 'ba'), locate('a', 'ba'), position(1 + 1 in 'a')
select extract(year_month from '2020-01-01'), timestampadd(SQL_TSI_DAY, 1, '2020-01-01'), timestampdiff(second, a, b) from t
select date_add('2020-01-01', interval 1+1 day), adddate('2020-01-01', 5), '2020-01-01' + interval 1 day - interval 1 month
select interval (1) day + '2020-01-01', interval(1,2,3), interval (1)+1 day + '2020-01-01', 5 + interval(1, 2) * 3
select date '2020-01-01', time'10:00:00', timestamp '2020-01-01 00:00:00', {d '2020-01-01'}, {fn now()}
select json_value('{"a":1}', '$.a' returning unsigned default 5 on empty error on error), c->'$.a', t.c->>'$.b' from t
select weight_string('a' as char(3)), get_format(date, 'USA'), format(1.5, 2), password_x(1), f(), db1.f(1, 2)
select group_concat(distinct a, b order by a desc, b separator '-'), count(distinct a, b), sum(all a), avg(a), min(distinct a) from t
select json_arrayagg(a), json_objectagg(a, b), bit_xor(a), stddev_pop(a), any_value(b) from t
select match(a, b) against ('x' in boolean mode), match a against ('y' with query expansion), match (a) against ('z' in natural language mode) from t
select row_number() over (), rank() over w, sum(a) over (partition by b, c order by a desc rows between 1 preceding and unbounded following) from t window w as (order by a)
select nth_value(a, 1) from first respect nulls over (order by a), lead(a, 1, 0) over (w order by b), first_value(a) respect nulls over w from t window w as ()
select sum(a) over (order by d range between interval 1 day preceding and current row), count(*) over (rows 2 preceding) from t
select a collate utf8mb4_bin from t order by a collate utf8mb4_bin asc, b desc
select current_timestamp(3), current_user(), current_user, now(), localtime, utc_timestamp(), curdate(), database(), schema(), user(), version()
select if(1,2,3), left('ab',1), right('ab', 1), insert('a',1,1,'b'), repeat('a', 2), replace('a', 'b', 'c'), mod(5, 3), 5 mod 3, 5 div 2, values(a), truncate(1.5, 0) from t
select default(a), grouping(b) from t group by b with rollup
select @a, @'b c', @`d`, @a := 5, @x := @y := 1 + 2 and 0, 1 + @z := 5 - 3
select @@max_connections, @@global.max_connections, @@session.sql_mode, @@local.autocommit, @@`sql_mode`, @@hot.key_buffer_size
select 'a' 'b', _utf8mb4'c' 'd', N'e', n'f', _binary x'41', x'4142', 0x41, b'101', 0b11, 1.5, .5, 1., 1e5, 1.5e-3, 12345678901234567890123
select -1, - 1, -1.5, +1, ~1, !1, not 1, - -1, a -1, a - -1, (a)-1, 1--1, -a from t
select a.1b, 1e, `x``y`, $a, été from a
select 1 from t where a = -1 and b in (-1, - 2, +3) limit 0
select a from t group by a with rollup having grouping(a) = 0
select a or b xor c and not d, a || b, a && b, a | b & c << 1 >> 2 + 3 - 4 * 5 / 6 % 7 ^ 8
select a = b = c, a < b <= c <> d != e >= f > g <=> h
select a regexp b = c from t where (a) regexp b = c
select exists (select 1) and not exists (select 2), (select max(a) from t) > all (select b from u)
select * from t where a = ? and b in (?, ?) limit ?, ?
select a from `select`.`from` where `order`.`by` = 1 and t.select = 2
select offset, value, name, type, date, time, user, status, comment, count, sum, position, first from action
select a from t where b = 'it''s' and c = "say ""hi""" and d = 'back\\slash\'' and e = '%\_'
insert into t values (1, 'a', default, now()), (default(a), null, true, -1)
insert t value (1,2)
insert into t () values ()
insert low_priority ignore into db1.t partition (p0) (a, t.b, db1.t.c) values (1, 2, 3)
insert into t values row(1,2), row(3,4)
insert t set a = 1, b = default as n on duplicate key update a = n.a, b = n.a + 1
insert into t (a) values (1) as new(x) on duplicate key update a = new.x
insert into t (a, b) values (1, 2) on duplicate key update a = values(a) + 1, b = b + values(b)
insert into t (a) select a from u as x on duplicate key update t.a = 2
insert into t select * from u join v on u.a = v.a on duplicate key update a = 1
insert into t (a) (select a from u)
insert into t(a) with x as (select 1) select * from x
insert into t table u
insert high_priority into t (select 1) union (select 2)
replace delayed t(a) values (1)
replace into t set a = 1
replace into t (a) select 1
update low_priority ignore t set t.a = default, b = default(b), c = c + 1 where a = 1 order by a desc limit 1
update t as x, u set x.a = u.a where x.id = u.id
update t join u using (a) left join v on v.a = u.a set t.b = 1, u.c = 2
with x as (select 1 as a) update t join x using (a) set b = 1
update (select 1 as a) d, t set t.a = d.a
delete low_priority quick ignore from t where a = 1 order by a limit 1
delete from t as x where x.a = 1
delete from t x partition(p0) where a=1
delete t from t join u on t.a=u.a
delete t.*, db1.u.* from t, db1.u
delete from t.*, u using t join u on t.a = u.a where t.b = 1
with x as (select 1 as a) delete t from t join x using (a)
load data local infile '/tmp/x' replace into table db1.t fields terminated by ',' lines terminated by '\n' ignore 1 lines (a, @b) set c = @b
load data infile 'x' into table t
call p
call db1.p(1, @x, 'a')
do 1, sleep(0)
set @a = 1, @b := 2, @'c d' = 3, @@session.sql_mode = '', session sql_mode = default, local autocommit = 1, sql_mode = ansi
set autocommit = on, global max_connections = 5, persist max_connections = 6, persist_only max_connections = 7, @@global.x.y = 1
set names utf8mb4 collate utf8mb4_bin, @x = 1
set names default
set names 'latin1'
set names binary
set character set utf8mb4
set charset default
set session transaction isolation level read committed, read only
set transaction read write
set global transaction isolation level repeatable read
set @@session.transaction_isolation = 'serializable', character_set_results = null
set @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'
set password for 'a'@'b' = 'x'
set default role all to a
set role none
set x.y = 1
use db1
use `db-2`
show databases like 'a%'
show schemas where `Database` = 'x'
show tables
show full tables from db1 like 't%'
show extended full columns from t from db1 like 'a'
show fields in db1.t where Field = 'a'
show index from t in db1
show keys from t
show table status from db1 like 't'
show open tables
show triggers from db1
show full triggers
show events
show create table db1.t
show create view v
show create database if not exists db1
show create procedure p
show create user a@b
show global variables like 'max%'
show session status where Variable_name = 'x'
show variables
show local variables
show warnings limit 5
show errors limit 1, 2
show count(*) warnings
show full processlist
show character set like 'u%'
show charset
show collation where Charset = 'utf8mb4'
show engines
show storage engines
show engine innodb status
show plugins
show privileges
show grants for a@b using r
show profile cpu for query 1 limit 1
show profiles
show procedure status like 'p'
show function status
show binary logs
show binary log status
show binlog events in 'x' from 4 limit 2
show replicas
show replica status for channel 'c'
show vitrail shards
show vitess_tablets
begin
begin work
start transaction
start transaction with consistent snapshot, read only
start transaction read write
commit
commit work and no chain no release
commit and chain
rollback
rollback work to savepoint `x y`
rollback to x
rollback release
savepoint x
release savepoint x
lock tables t read, u as x write, db1.v y read local
unlock tables
lock instance for backup
xa start 'a', 'b', 1
xa end 'a'
explain select 1
explain format=json select 1
explain analyze format=tree select 1
explain for connection 5
explain update t set a = 1
explain t
describe db1.t a
desc t 'a%'
vexplain plan select 1
vexplain queries update t set a = 1
vexplain trace select a from t where id in (1, 2)
create table t (a int)
create table if not exists db1.t (id bigint unsigned not null auto_increment primary key comment 'x', a varchar(10) character set latin1 collate latin1_bin default 'x', b decimal(10,2) default 1.5 not null, c timestamp(3) null default current_timestamp(3) on update current_timestamp(3), d enum('a','b') invisible, e int generated always as (id + 1) virtual, f int as (id * 2) stored unique key, g json default (json_array()), key k1 (a(5), b desc), unique index u1 using btree (b) comment 'y' invisible, fulltext key ft (a) with parser ngram, constraint c1 foreign key fk (e) references db2.u (x) match full on delete cascade on update set null, check (id > 0) not enforced, constraint c2 check (b < 5), index fi ((id + 1) asc)) engine=InnoDB auto_increment=5 default charset=utf8mb4 collate utf8mb4_bin comment='z' row_format=dynamic
create temporary table x like db1.t
create table x (like t)
create table x select * from t
create table x (b int, key (b)) engine = innodb ignore as (select 1 as b)
create table x as table t
create table p (a int, b date) partition by range (year(b)) subpartition by hash (a) subpartitions 2 (partition p0 values less than (2000) engine = innodb, partition p1 values less than maxvalue)
create table p (a int) partition by list columns (a) (partition p0 values in (1, 2), partition p1 values in (null))
create table p (a int) engine=myisam union=(t1, t2) insert_method=last partition by key algorithm = 2 (a) partitions 4
create table x (s serial, n national varchar(10), d double precision unsigned zerofill, l long varbinary, c char(5) binary ascii, y year, b bit(3), g geometry not null srid 4326, v vector(3))
create table x (a int references u (b) on delete set default, b int constraint c check (b > 1), c int default (1 + 2) visible, d int key, e int serial default value)
alter table t add column a int not null default 5 first, add (b int, c int), add index i (a), drop column d, drop primary key, drop foreign key fk, drop index i2
alter table db1.t modify column a bigint after b, change b c varchar(5) charset utf8mb4, alter column d set default 5, alter e drop default, rename column f to g, rename index h to i, rename to t2
alter table t engine=innodb, algorithm=inplace, lock=none, auto_increment = 5, convert to character set utf8mb4 collate utf8mb4_bin, order by a, b desc
alter table t add constraint c unique (a), add primary key (a, b), add foreign key (x) references u (y), drop check c, alter check c2 not enforced, alter index i invisible
alter table t partition by hash (a) partitions 4
alter table t engine=innodb remove partitioning
alter table t add partition (partition p3 values less than (10))
alter table t drop partition p0, p1
alter table t exchange partition p0 with table db1.u without validation
alter table t discard tablespace
alter table t
alter table t disable keys, force
drop table if exists a, db1.b restrict
drop temporary table x
drop tables a
truncate table db1.t
truncate t
rename table a to b, db1.c to db2.d
create index i on t (a, b(5) desc)
create unique index i using btree on db1.t (a) comment 'x' algorithm = inplace
create fulltext index i on t (a)
drop index i on t algorithm=inplace
drop index `primary` on t
create view v as select 1
create or replace algorithm = merge definer = 'a'@'%' sql security invoker view db1.v (x, y) as select a, b from t with local check option
alter view v as select 2
drop view if exists v, db1.w cascade
create database db1
create schema if not exists db1 default character set utf8mb4 collate utf8mb4_bin
alter database db1 character set latin1
alter database collate utf8mb4_bin
drop database if exists db1
analyze no_write_to_binlog table t, db1.u
analyze table t update histogram on a, b with 10 buckets
check table t extended
checksum table t
optimize local table t
repair table t quick
kill 5
kill query 5 + 1
kill connection @x
prepare s from 'select 1'
prepare s from @x
execute s using @a, @b
execute s
deallocate prepare s
drop prepare s
handler t open as h
handler h read i = (1) where a > 1 limit 1
flush tables with read lock
reset persist
grant select (a), insert on db1.* to 'a'@'b' with grant option
revoke all privileges, grant option from a
create user if not exists a@'%' identified by 'x'
alter user a identified by 'y'
drop user a
rename user a to b
create role r
drop role r
create procedure p(in a int, out b int) begin select 1; set b = 2; end
create definer=a@b function f(x int) returns int deterministic return x + 1
create trigger tr before insert on t for each row set new.a = 1
create event e on schedule every 1 day do delete from t
alter procedure p comment 'x'
alter event e disable
drop procedure if exists p
drop function f
drop trigger tr
drop event e
create tablespace ts add datafile 'x.ibd'
create server s foreign data wrapper mysql options (host 'x')
install plugin p soname 'x'
purge binary logs to 'x'
start replica
stop replica
change replication source to source_host = 'x'
help 'select'
signal sqlstate '45000' set message_text = 'x'
get diagnostics @n = number
binlog 'x'
shutdown
clone local data directory '/x'
/*!40101 SET NAMES utf8mb4 */
/*!50503 SET character_set_client = utf8mb4 */
select /*!80000 1 + */ 2
select /*!99999 1 + */ 2
select 1 -- comment
select 1 # comment
/* leading */ select /* inner */ 1 /* trailing */
