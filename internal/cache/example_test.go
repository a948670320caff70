package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/cache"
)

func Example() {
	teams := cache.Cache[int]{TTL: time.Minute}
	load := func(context.Context) (int, error) {
		fmt.Println("asking the service")
		return 3, nil
	}
	for range 2 {
		n, err := teams.Get(context.Background(), "teams", load)
		fmt.Println(n, err)
	}
	// Output:
	// asking the service
	// 3 <nil>
	// 3 <nil>
}
