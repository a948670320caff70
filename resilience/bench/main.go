// Command bench measures this module's transport against what others offer for
// the same job, on servers that fail in the ways of real ones. Everything
// happens on loopback. It prints the table of the README, writes it there, and
// draws its pictures:
//
//	go run ./resilience/bench
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	folder := flag.String("out", "", "`folder` of the README, the results and the pictures (default resilience/bench)")
	quick := flag.Bool("quick", false, "measure with a tenth of the effort, and write only into a folder that is named")
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
		r, err = read(cmp.Or(folder, home))
	} else {
		r, err = measure(effortOf(quick), only)
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Println(table(r)); err != nil {
		return err
	}
	if quick && folder == "" {
		return nil
	}
	return write(cmp.Or(folder, home), r)
}

// Results are all that was measured in one run.
type Results struct {
	Machine    string
	Seconds    float64 // the run took
	Contenders []Result
}

// Result is what was measured of one contender.
type Result struct {
	Name     string
	Version  string
	Flaky    Flaky
	Harmless Harmless
	// What the server does after an operation was, or was not, carried out.
	Posts503, PostsReset, PostsLate Posts
	Outage503, OutageReset          Outage
	Bucket, Fixed, Rolling, Far     Throttled
	Leaks                           Leaks
	Memory                          Memory
	Overhead                        Overhead
}

// effort is how much is measured.
type effort struct {
	calls     int           // of the flaky server, and half as many mixed ones
	limit     time.Duration // for them
	posts     int           // of each kind
	outage    time.Duration
	throttled time.Duration
	rounds    int // of the overhead
}

func effortOf(quick bool) effort {
	if quick {
		return effort{calls: 2000, limit: 3 * time.Second, posts: 200, outage: 3 * time.Second, throttled: 5 * time.Second, rounds: 3}
	}
	return effort{calls: 20_000, limit: 20 * time.Second, posts: 1000, outage: 10 * time.Second, throttled: 15 * time.Second, rounds: 40}
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
	// First, since some leave thousands of goroutines and connections behind, at
	// which the garbage collector would look again and again.
	fmt.Fprintln(os.Stderr, "   0 s  overhead")
	overhead, err := overheads(list, e.rounds)
	if err != nil {
		return results, fmt.Errorf("overhead: %w", err)
	}
	for i := range overhead {
		results.Contenders[i].Overhead = overhead[i]
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
		{"POSTs", func(c contender, r *Result) error {
			var errs [4]error
			r.Posts503, errs[0] = posts(c, e.posts, unavailable)
			r.PostsReset, errs[1] = posts(c, e.posts, resetting)
			r.PostsLate, errs[2] = posts(c, e.posts, late)
			r.Harmless, errs[3] = harmless(c, 20)
			return errors.Join(errs[:]...)
		}},
		{"outages", func(c contender, r *Result) error {
			var errs [2]error
			r.Outage503, errs[0] = outage(c, e.outage, unavailable)
			r.OutageReset, errs[1] = outage(c, e.outage, resetting)
			return errors.Join(errs[:]...)
		}},
		{"throttling", func(c contender, r *Result) error {
			var errs [4]error
			r.Bucket, errs[0] = throttled(c, tokenBucket, e.throttled)
			r.Fixed, errs[1] = throttled(c, fixedWindow, e.throttled)
			r.Rolling, errs[2] = throttled(c, rollingWindow, e.throttled)
			r.Far, errs[3] = throttled(c, farWindow, e.throttled)
			return errors.Join(errs[:]...)
		}},
		{"leaks", func(c contender, r *Result) (err error) {
			r.Leaks, err = leaks(c, 100, e.calls/2, e.limit)
			return err
		}},
		{"memory", func(c contender, r *Result) (err error) {
			r.Memory, err = memory(c)
			return err
		}},
	}
}

// Where a run writes, and the files besides the pictures.
const (
	home        = "resilience/bench"
	resultsFile = "results.json"
	readmeFile  = "README.md"
)

func read(folder string) (Results, error) {
	var r Results
	content, err := os.ReadFile(filepath.Join(folder, resultsFile)) //nolint:gosec // the user's folder
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(content, &r)
}

// write puts the results, the pictures and the table into the folder.
func write(folder string, r Results) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	files := map[string]string{resultsFile: string(content) + "\n"}
	for name, picture := range pictures(r) {
		files[name] = picture.svg()
	}
	readme, err := os.ReadFile(filepath.Join(folder, readmeFile)) //nolint:gosec // the user's folder
	if err != nil {
		return err
	}
	if files[readmeFile], err = withTable(string(readme), r); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil { //nolint:gosec // for all to read
			return err
		}
	}
	return nil
}
