// SPDX-License-Identifier: Apache-2.0

// http3 URL SECRET MOST asks over HTTP/3, reads at most MOST bytes (all, if negative), leaves, and prints the status, the
// bytes and whether there was a Licet-Decision.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/lucas-clemente/quic-go/http3"
)

func main() {
	asks := &http3.RoundTripper{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer asks.Close()
	most, err := strconv.ParseInt(os.Args[3], 10, 64)
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequest("GET", os.Args[1], nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Args[2])
	request.Header.Set("Accept-Encoding", "identity")
	answer, err := asks.RoundTrip(request)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	defer answer.Body.Close()
	body := io.Reader(answer.Body)
	if most >= 0 {
		body = io.LimitReader(body, most)
	}
	n, err := io.Copy(io.Discard, body)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	decision := "no"
	if answer.Header.Get("Licet-Decision") != "" {
		decision = "decision"
	}
	fmt.Println(answer.StatusCode, n, decision)
}
