// Command weights writes what the loose vindexes need to know about golang.org/x/text/collate: a table of primary
// weights for Rust, and texts with their keys to compare against.
//
//	go run . table ../../src/loose/weights.bin
//	go run . golden SEED COUNT > ../../src/loose/golden.txt
//	go run . singles > FILE    (every character alone)
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strconv"
	"unicode"

	"golang.org/x/text/collate"
	"golang.org/x/text/unicode/norm"
)

func main() {
	log.SetFlags(0)
	// Vitess routes by exactly these versions; a newer toolchain would silently bring others.
	if collate.UnicodeVersion != "6.2.0" || collate.CLDRVersion != "23" {
		log.Fatalf("collation tables are Unicode %s, CLDR %s", collate.UnicodeVersion, collate.CLDRVersion)
	}
	if norm.Version != "15.0.0" || unicode.Version != "15.0.0" {
		log.Fatalf("normaliser is Unicode %s, unicode package %s", norm.Version, unicode.Version)
	}
	switch {
	case len(os.Args) == 3 && os.Args[1] == "table":
		if err := os.WriteFile(os.Args[2], buildTable(), 0o644); err != nil {
			log.Fatal(err)
		}
	case len(os.Args) == 2 && os.Args[1] == "singles":
		out := bufio.NewWriter(os.Stdout)
		writeSingles(out)
		if err := out.Flush(); err != nil {
			log.Fatal(err)
		}
	case len(os.Args) == 4 && os.Args[1] == "golden":
		seed, err := strconv.ParseUint(os.Args[2], 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		count, err := strconv.Atoi(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		out := bufio.NewWriter(os.Stdout)
		writeGolden(out, seed, count)
		if err := out.Flush(); err != nil {
			log.Fatal(err)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: weights table FILE | weights golden SEED COUNT | weights singles")
		os.Exit(2)
	}
}
