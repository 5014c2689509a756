select
select from t
select a, from t
select a, * from t
select a.b.c.d from t
select t.* as x from t
select 1 as select
select 1 from
select 1 from t where
select 1 from t group a
select 1 order 1
select 1 limit
select 1 limit -1
select 1 limit 1.5
select 'a
select "a
select `a
select /* a
select /*!80000 1
select x'4'
select b'2'
select 1.5e
select \N
select 1 +
select 1 in ()
select 1 in (1) in (1)
select 1 in (select 1) + 1
select 'a' like 'a' like 'a'
select 'a' like 'a' + 1
select 1 is true is null
select 1 is true = 1
select 1 = not 0
select 1 + not 0
select 2 between 1 = 1 and 3
select 1 between 2
select case end
select case when 1 end
select cast(1 as foo)
select a.1b, a .1 from t a
select `t`.1b from t
select 1 from t as 't'
select 1 from t full outer join u on 1
select 1 from t left join u
select 1 from (select 1
select count(* from t
select 1 from t procedure analyse()
select a from t for update of
select 1 = any (1)
select 1 union
select 1 intersect
(select 1
select 1)
values (1)
values row(1
table
insert into t
insert into t values
insert into t values (1,)
insert into t (a,) values (1)
insert into t set
insert into t (a) set a = 1
update t
update t set
update t set a
update t set a = 1 where
delete t
delete from
delete from t where
delete from t using
set
set @a
set @a 1
set names
set transaction
set session transaction isolation level foo
use
show
show tables from
show create
show columns
begin 1
commit and chain release
rollback to
savepoint
release x
lock tables t
unlock
explain
explain extended select 1
create
create table
create table t (
create table t (a)
create table t (a int,)
create table t (a int default)
create table t (a int, key)
create table t (a int, primary (a))
alter table
alter table t add
alter table t drop
alter table t rename
drop
drop table
truncate
rename table a
create index on t (a)
create index i t (a)
create view v
create database
prepare s
execute
kill
foo
1
select 1 select 2
select 1; select 2
[1]
select 1 from t where a = 'x' 'y' z 'w' v
