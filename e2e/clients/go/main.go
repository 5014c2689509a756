// go-sql-driver/mysql through database/sql (see ../README.md).
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const text = "Zürich 🚀 漢字 ñ \\ ' \" \x00 end"

var table = os.Getenv("E2E_TABLE")

func check(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

func expect[T comparable](got, wanted T) {
	if got != wanted {
		log.Output(2, fmt.Sprintf("got %.300v, wanted %.300v", got, wanted))
		os.Exit(1)
	}
}

// blob makes the same pseudo-random bytes every time.
func blob(size int) []byte {
	var out []byte
	for i := uint64(0); len(out) < size; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, i))
		out = append(out, sum[:]...)
	}
	return out[:size]
}

func affected(result sql.Result, err error) int64 {
	check(err)
	count, err := result.RowsAffected()
	check(err)
	return count
}

func main() {
	log.SetFlags(log.Lshortfile)
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", os.Getenv("E2E_HOST")+":"+os.Getenv("E2E_PORT")
	config.User, config.Passwd, config.DBName = os.Getenv("E2E_USER"), os.Getenv("E2E_PASSWORD"), os.Getenv("E2E_DATABASE")
	config.TLSConfig, config.ParseTime, config.MaxAllowedPacket = "skip-verify", true, 64<<20
	db, err := sql.Open("mysql", config.FormatDSN())
	check(err)
	ctx := context.Background()
	c, err := db.Conn(ctx)
	check(err)
	check(c.PingContext(ctx))
	fmt.Println("ok connect")

	expect(affected(c.ExecContext(ctx, "INSERT INTO "+table+" (id, name, n, at) VALUES (1, 'one', 1.5, '2024-02-29 23:59:58.123456')")), 1)
	expect(affected(c.ExecContext(ctx, "INSERT INTO "+table+" (id, name) VALUES (2, 'two'), (3, 'three')")), 2)
	when := time.Date(2024, 2, 29, 23, 59, 58, 123456000, time.UTC)
	var id int64
	var name, n string
	var at time.Time
	check(c.QueryRowContext(ctx, "SELECT id, name, n, at FROM "+table+" WHERE id = 1").Scan(&id, &name, &n, &at))
	expect(fmt.Sprint(id, name, n, at), fmt.Sprint(1, "one", "1.5000", when))
	// The driver asks for found rows to be told as changed rows: an update to the same value counts 0.
	expect(affected(c.ExecContext(ctx, "UPDATE "+table+" SET name = 'two' WHERE id = 2")), 0)
	expect(affected(c.ExecContext(ctx, "UPDATE "+table+" SET name = 'zwei' WHERE id = 2")), 1)
	fmt.Println("ok text")

	insert, err := c.PrepareContext(ctx, "INSERT INTO "+table+" (id, name, n, at) VALUES (?, ?, ?, ?)")
	check(err)
	_, err = insert.Exec(10, "ten", "-12345678901234.5678", when)
	check(err)
	_, err = insert.Exec(11, nil, nil, nil)
	check(err)
	selects, err := c.PrepareContext(ctx, "SELECT id, name, n, at FROM "+table+" WHERE id = ?")
	check(err)
	check(selects.QueryRow(10).Scan(&id, &name, &n, &at))
	expect(fmt.Sprint(id, name, n, at), fmt.Sprint(10, "ten", "-12345678901234.5678", when))
	var null sql.NullString
	var nullTime sql.NullTime
	check(selects.QueryRow(11).Scan(&id, &null, &null, &nullTime))
	expect(null.Valid, false)
	expect(selects.QueryRow(-1).Scan(&id, &name, &n, &at), sql.ErrNoRows)
	check(insert.Close())
	check(selects.Close())
	fmt.Println("ok prepared")

	count := func(id int) (count int) {
		check(c.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE id = ?", id).Scan(&count))
		return count
	}
	tx, err := c.BeginTx(ctx, nil)
	check(err)
	_, err = tx.Exec("INSERT INTO "+table+" (id, name) VALUES (?, ?)", 20, "gone")
	check(err)
	check(tx.Rollback())
	expect(count(20), 0)
	tx, err = c.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	check(err)
	_, err = tx.Exec("INSERT INTO "+table+" (id, name) VALUES (?, ?)", 20, "stays")
	check(err)
	check(tx.Commit())
	expect(count(20), 1)
	fmt.Println("ok transaction")

	for statement, code := range map[string]uint16{
		"INSERT INTO " + table + " (id) VALUES (1)": 1062,
		"SELEC 1":                    1064,
		"SELECT nope FROM " + table: 1054,
	} {
		_, err := c.ExecContext(ctx, statement)
		var failure *mysql.MySQLError
		expect(errors.As(err, &failure), true)
		expect(failure.Number, code)
	}
	check(c.PingContext(ctx))
	fmt.Println("ok errors")

	_, err = c.ExecContext(ctx, "INSERT INTO "+table+" (id, name) VALUES (?, ?)", 30, text)
	check(err)
	check(c.QueryRowContext(ctx, "SELECT name FROM "+table+" WHERE id = 30").Scan(&name))
	expect(name, text)
	check(c.QueryRowContext(ctx, "SELECT name FROM "+table+" WHERE name = ?", text).Scan(&name))
	expect(name, text)
	fmt.Println("ok unicode")

	data := blob(17<<20 + 5)
	_, err = c.ExecContext(ctx, "INSERT INTO "+table+" (id, data) VALUES (?, ?)", 40, data)
	check(err)
	var back []byte
	check(c.QueryRowContext(ctx, "SELECT data FROM "+table+" WHERE id = 40").Scan(&back))
	expect(bytes.Equal(back, data), true)
	check(c.QueryRowContext(ctx, "SELECT data FROM "+table+" WHERE id = ?", 40).Scan(&back))
	expect(bytes.Equal(back, data), true)
	fmt.Println("ok blob")

	var values []string
	for i := 0; i < 2000; i++ {
		values = append(values, fmt.Sprintf("(%d, 'row %d')", 1000+i, i))
	}
	expect(affected(c.ExecContext(ctx, "INSERT INTO "+table+" (id, name) VALUES "+strings.Join(values, ", "))), 2000)
	rows, err := c.QueryContext(ctx, "SELECT id, name FROM "+table+" WHERE id >= ? ORDER BY id", 1000)
	check(err)
	i := int64(0)
	for ; rows.Next(); i++ {
		check(rows.Scan(&id, &name))
		expect(id, 1000+i)
		expect(name, fmt.Sprint("row ", i))
	}
	check(rows.Err())
	expect(i, 2000)
	fmt.Println("ok rows")
	check(c.Close())
}
