// mysql2 with promises (see ../README.md). Run with NODE_PATH set to where mysql2 is installed.
'use strict';
const crypto = require('node:crypto');
const assert = require('node:assert/strict');
const mysql = require('mysql2/promise');

const { E2E_HOST, E2E_PORT, E2E_USER, E2E_PASSWORD, E2E_DATABASE, E2E_TABLE: table } = process.env;
const text = 'Zürich 🚀 漢字 ñ \\ \' " \0 end';

async function fails(statement, code, state) {
  await assert.rejects(statement, (error) => error.errno === code && error.sqlState === state);
}

async function main() {
  const c = await mysql.createConnection({
    host: E2E_HOST, port: Number(E2E_PORT), user: E2E_USER, password: E2E_PASSWORD, database: E2E_DATABASE,
    ssl: { rejectUnauthorized: false }, charset: 'utf8mb4', supportBigNumbers: true, dateStrings: true, flags: ['-FOUND_ROWS'],
  });
  console.log('ok connect');

  let [result] = await c.query(`INSERT INTO ${table} (id, name, n, at) VALUES (1, 'one', 1.5, '2024-02-29 23:59:58.123456')`);
  assert.equal(result.affectedRows, 1);
  [result] = await c.query(`INSERT INTO ${table} (id, name) VALUES (2, 'two'), (3, 'three')`);
  assert.equal(result.affectedRows, 2);
  assert.match(result.info, /Records: 2/);
  let [rows, fields] = await c.query(`SELECT id, name, n, at FROM ${table} WHERE id = 1`);
  assert.deepEqual(rows, [{ id: 1, name: 'one', n: '1.5000', at: '2024-02-29 23:59:58.123456' }]);
  assert.deepEqual(fields.map((field) => field.name), ['id', 'name', 'n', 'at']);
  [result] = await c.query(`UPDATE ${table} SET name = 'two' WHERE id = 2`);
  assert.equal(result.changedRows ?? 0, 0);
  console.log('ok text');

  // mysql2 sends every number as DOUBLE.
  const insert = `INSERT INTO ${table} (id, name, n, at) VALUES (?, ?, ?, ?)`;
  await c.execute(insert, [10, 'ten', '-12345678901234.5678', '2024-02-29 23:59:58.123456']);
  await c.execute(insert, [11, null, null, null]);
  const select = `SELECT id, name, n, at FROM ${table} WHERE id = ?`;
  [rows] = await c.execute(select, [10]);
  assert.deepEqual(rows, [{ id: 10, name: 'ten', n: '-12345678901234.5678', at: '2024-02-29 23:59:58.123456' }]);
  [rows] = await c.execute(select, ['11']);
  assert.deepEqual(rows, [{ id: 11, name: null, n: null, at: null }]);
  [rows] = await c.execute(select, [-1]);
  assert.deepEqual(rows, []);
  console.log('ok prepared');

  await c.beginTransaction();
  await c.execute(`INSERT INTO ${table} (id, name) VALUES (?, ?)`, [20, 'gone']);
  await c.rollback();
  [rows] = await c.query(`SELECT name FROM ${table} WHERE id = 20`);
  assert.deepEqual(rows, []);
  await c.beginTransaction();
  await c.execute(`INSERT INTO ${table} (id, name) VALUES (?, ?)`, [20, 'stays']);
  await c.commit();
  [rows] = await c.query(`SELECT name FROM ${table} WHERE id = 20`);
  assert.deepEqual(rows, [{ name: 'stays' }]);
  console.log('ok transaction');

  await fails(c.query(`INSERT INTO ${table} (id) VALUES (1)`), 1062, '23000');
  await fails(c.query('SELEC 1'), 1064, '42000');
  await fails(c.query(`SELECT nope FROM ${table}`), 1054, '42S22');
  await fails(c.execute(`SELECT nope FROM ${table} WHERE id = ?`, [1]), 1054, '42S22');
  await c.ping();
  console.log('ok errors');

  await c.execute(`INSERT INTO ${table} (id, name) VALUES (?, ?)`, [30, text]);
  [rows] = await c.query(`SELECT name FROM ${table} WHERE id = 30`);
  assert.deepEqual(rows, [{ name: text }]);
  [rows] = await c.query(`SELECT id FROM ${table} WHERE name = ?`, [text]);
  assert.deepEqual(rows, [{ id: 30 }]);
  console.log('ok unicode');

  const blob = crypto.createHash('shake256', { outputLength: (17 << 20) + 5 }).update('vitrail').digest();
  await c.execute(`INSERT INTO ${table} (id, data) VALUES (?, ?)`, [40, blob]);
  [rows] = await c.query(`SELECT data FROM ${table} WHERE id = 40`);
  assert.ok(rows[0].data.equals(blob));
  [rows] = await c.execute(`SELECT data FROM ${table} WHERE id = ?`, [40]);
  assert.ok(rows[0].data.equals(blob));
  console.log('ok blob');

  const values = Array.from({ length: 2000 }, (_, i) => [1000 + i, `row ${i}`]);
  [result] = await c.query(`INSERT INTO ${table} (id, name) VALUES ?`, [values]);
  assert.equal(result.affectedRows, 2000);
  [rows] = await c.execute(`SELECT id, name FROM ${table} WHERE id >= ? ORDER BY id`, [1000]);
  assert.deepEqual(rows, values.map(([id, name]) => ({ id, name })));
  console.log('ok rows');
  await c.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
