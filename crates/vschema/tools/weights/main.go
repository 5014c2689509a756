// Command weights writes what the loose vindexes need to know about golang.org/x/text/collate: a table of primary
// weights for Rust, and texts with their keys to compare against.
//
//	go run . table ../../src/loose/weights.bin
//	go run . golden SEED COUNT > ../../src/loose/golden.txt
//	go run . singles > FILE    (every character alone)
//	go run . probes | mysql -N > FILE && go run . coverage < FILE > ../../src/loose/coverage/ranges.rs
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
	out := bufio.NewWriter(os.Stdout)
	switch {
	case len(os.Args) == 3 && os.Args[1] == "table":
		if err := os.WriteFile(os.Args[2], buildTable(), 0o644); err != nil {
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
		writeGolden(out, seed, count)
	case len(os.Args) == 2 && os.Args[1] == "singles":
		writeSingles(out)
	case len(os.Args) == 2 && os.Args[1] == "probes":
		writeProbes(out)
	case len(os.Args) == 2 && os.Args[1] == "coverage":
		writeCoverage(os.Stdin, out)
	default:
		fmt.Fprintln(os.Stderr, "usage: weights table FILE | golden SEED COUNT | singles | probes | coverage")
		os.Exit(2)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
