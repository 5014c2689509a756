#!/usr/bin/env bash
# The mysql or mariadb command line client: `client.sh PROGRAM OPTION...` (see ../README.md). The OPTIONs
# ask for TLS without verification, for which the two clients have no name in common.
set -euo pipefail
program=$1 table=$E2E_TABLE
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '[client]\nuser=%s\npassword="%s"\nhost=%s\nport=%s\nprotocol=TCP\n' "$E2E_USER" "$E2E_PASSWORD" "$E2E_HOST" "$E2E_PORT" >"$work/my.cnf"
client=("$program" --defaults-file="$work/my.cnf" "$@" --default-character-set=utf8mb4 --max-allowed-packet=64M -N "$E2E_DATABASE")

run() { "${client[@]}" -e "$1" 2>&1; }
expect() { # expect GOT WANTED
  [ "$1" = "$2" ] || { printf 'line %s: got %.300q, wanted %.300q\n' "${BASH_LINENO[0]}" "$1" "$2" >&2; exit 1; }
}

status=$("${client[@]}" --loose-commands -e '\s' 2>&1)
[[ $status =~ SSL:[[:space:]]+Cipher\ in\ use ]] || { echo "not encrypted: $status" >&2; exit 1; }
echo 'ok connect'

run "INSERT INTO $table (id, name, n, at) VALUES (1, 'one', 1.5, '2024-02-29 23:59:58.123456'), (2, 'two', NULL, NULL)"
expect "$(run "SELECT id, name, n, at FROM $table WHERE id <= 2 ORDER BY id")" $'1\tone\t1.5000\t2024-02-29 23:59:58.123456\n2\ttwo\tNULL\tNULL'
expect "$("${client[@]}" --column-names -e "SELECT id + 1, name AS 'a b' FROM $table WHERE id = 1")" $'id + 1\ta b\n2\tone'
expect "$("${client[@]}" -vvv -e "UPDATE $table SET name = 'zwei' WHERE id = 2" | grep -c 'Rows matched: 1  Changed: 1  Warnings: 0')" 1
echo 'ok text'

expect "$(run "PREPARE s FROM 'SELECT name FROM $table WHERE id = ?'; SET @id = 1; EXECUTE s USING @id; SET @id = 2; EXECUTE s USING @id; DEALLOCATE PREPARE s")" $'one\nzwei'
echo 'ok prepared'

expect "$(run "BEGIN; INSERT INTO $table (id) VALUES (20); SAVEPOINT a; DELETE FROM $table WHERE id = 20; ROLLBACK TO a; SELECT COUNT(*) FROM $table WHERE id = 20; ROLLBACK; SELECT COUNT(*) FROM $table WHERE id = 20")" $'1\n0'
run "BEGIN; INSERT INTO $table (id, name) VALUES (20, 'stays'); COMMIT"
expect "$(run "SELECT name FROM $table WHERE id = 20")" stays
echo 'ok transaction'

expect "$(run "INSERT INTO $table (id) VALUES (1)" | grep -o 'ERROR [0-9]* ([0-9A-Z]*)')" 'ERROR 1062 (23000)'
expect "$(run 'SELEC 1' | grep -o 'ERROR [0-9]* ([0-9A-Z]*)')" 'ERROR 1064 (42000)'
expect "$(run "SELECT nope FROM $table" | grep -o 'ERROR [0-9]* ([0-9A-Z]*)')" 'ERROR 1054 (42S22)'
expect "$(printf 'SELEC 1;\nSELECT 7;\n' | "${client[@]}" --force 2>/dev/null)" 7
echo 'ok errors'

run "INSERT INTO $table (id, name) VALUES (30, 'Zürich 🚀 漢字 ñ')"
expect "$(run "SELECT name, CHAR_LENGTH(name) FROM $table WHERE name = 'Zürich 🚀 漢字 ñ'")" $'Zürich 🚀 漢字 ñ\t13'
echo 'ok unicode'

size=$(((17 << 20) + 5))
head -c $size /dev/urandom >"$work/blob"
{ printf 'INSERT INTO %s (id, data) VALUES (40, x'"'" "$table"; od -An -v -tx1 "$work/blob" | tr -d ' \n'; printf "');"; } >"$work/blob.sql"
"${client[@]}" <"$work/blob.sql"
expect "$("${client[@]}" --raw -e "SELECT data FROM $table WHERE id = 40" | head -c $size | sha256sum)" "$(sha256sum <"$work/blob")"
echo 'ok blob'

{ printf 'INSERT INTO %s (id, name) VALUES (1000, "row")' "$table"; for i in $(seq 1001 2999); do printf ', (%d, "row")' "$i"; done; } >"$work/rows.sql"
"${client[@]}" <"$work/rows.sql"
expect "$(run "SELECT id FROM $table WHERE id >= 1000 ORDER BY id" | sha256sum)" "$(seq 1000 2999 | sha256sum)"
expect "$("${client[@]}" --quick -e "SELECT id FROM $table WHERE id >= 1000" | wc -l)" 2000
echo 'ok rows'
