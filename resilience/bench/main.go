// Command bench measures this module's transport against what others offer for
// the same job, on servers that fail in the ways of real ones. Everything
// happens on loopback. It prints the table of the README, writes it there, and
// draws its pictures:
//
//	go run ./resilience/bench
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	folder := flag.String("out", "resilience/bench", "`folder` of the README, the results and the pictures")
	quick := flag.Bool("quick", false, "measure with a tenth of the effort, and write nothing")
	draw := flag.Bool("draw", false, "do not measure: draw and print the results that are there")
	only := flag.String("only", "", "comma-separated `parts` of the names of the contenders to measure")
	flag.Parse()
	if err := run(*folder, *quick, *draw, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string, quick, draw bool, only string) error {
	var r Results
	var err error
	if draw {
		r, err = read(folder)
	} else {
		r, err = measure(effortOf(quick), only)
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Println(table(r)); err != nil {
		return err
	}
	if quick {
		return nil
	}
	return write(folder, r)
}

// Results are all that was measured in one run.
type Results struct {
	Machine    string
	Seconds    float64 // the run took
	Contenders []Result
}

// Result is what was measured of one contender.
type Result struct {
	Name        string
	Version     string
	Flaky       Flaky
	Outage503   Outage
	OutageReset Outage
}

// effort is how much is measured.
type effort struct {
	calls  int           // of the flaky server
	limit  time.Duration // for them
	outage time.Duration
}

func effortOf(quick bool) effort {
	if quick {
		return effort{calls: 2000, limit: 3 * time.Second, outage: 3 * time.Second}
	}
	return effort{calls: 20_000, limit: 20 * time.Second, outage: 10 * time.Second}
}

// measure runs every contender through every scenario, one after the other:
// scenario by scenario, so that what else the machine does meets all alike.
func measure(e effort, only string) (Results, error) {
	began := time.Now()
	results := Results{Machine: machine()}
	var list []contender
	for _, c := range contenders() {
		if chosen(c.Name, only) {
			list = append(list, c)
			results.Contenders = append(results.Contenders, Result{Name: c.Name, Version: version(c)})
		}
	}
	for _, s := range scenarios(e) {
		for i, c := range list {
			fmt.Fprintf(os.Stderr, "%4.0f s  %s: %s\n", time.Since(began).Seconds(), s.name, c.Name)
			if err := s.run(c, &results.Contenders[i]); err != nil {
				return results, fmt.Errorf("%s, %s: %w", s.name, c.Name, err)
			}
		}
	}
	results.Seconds = time.Since(began).Round(time.Second).Seconds()
	return results, nil
}

func chosen(name, only string) bool {
	for part := range strings.SplitSeq(only, ",") {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

type scenario struct {
	name string
	run  func(contender, *Result) error
}

func scenarios(e effort) []scenario {
	return []scenario{
		{"a server that fails 30 %", func(c contender, r *Result) (err error) {
			r.Flaky, err = flaky(c, e.calls, e.limit)
			return err
		}},
		{"outage, 503", func(c contender, r *Result) (err error) {
			r.Outage503, err = outage(c, e.outage, unavailable)
			return err
		}},
		{"outage, resets", func(c contender, r *Result) (err error) {
			r.OutageReset, err = outage(c, e.outage, resetting)
			return err
		}},
	}
}

const resultsFile = "results.json"

func read(folder string) (Results, error) {
	var r Results
	content, err := os.ReadFile(filepath.Join(folder, resultsFile)) //nolint:gosec // the user's folder
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(content, &r)
}

func write(folder string, r Results) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, resultsFile), append(content, '\n'), 0o644) //nolint:gosec // for all to read
}
