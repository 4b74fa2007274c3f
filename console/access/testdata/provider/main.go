// Command provider is an OpenID Connect provider for the tests of package access: the one of github.com/zitadel/oidc, which is certified by the OpenID
// Foundation, with the storage in memory of its example. It is a module of its own, so that its dependencies are none of the product's.
//
// It listens on a free port of 127.0.0.1, prints its issuer, and runs until its standard input ends.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// person is somebody whom the provider knows.
type person struct {
	storage.User

	Groups []string
}

// people are the people by ID. They are the storage's users, with groups.
type people map[string]*person

func (p people) GetUserByID(id string) *storage.User {
	if found := p[id]; found != nil {
		return &found.User
	}
	return nil
}

func (p people) GetUserByUsername(name string) *storage.User {
	for _, each := range p {
		if each.Username == name {
			return &each.User
		}
	}
	return nil
}

func (p people) ExampleClientID() string { return "none" }

// groups adds the claim groups to what the storage says of a person, in the ID token as well as at the userinfo endpoint.
type groups struct {
	*storage.Storage

	people people
}

func (g groups) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	return g.add(g.Storage.SetUserinfoFromRequest(ctx, info, request, scopes), info)
}

func (g groups) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	return g.add(g.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin), info)
}

func (g groups) add(err error, info *oidc.UserInfo) error {
	if found := g.people[info.Subject]; err == nil && found != nil {
		info.AppendClaims("groups", found.Groups)
	}
	return err
}

func main() {
	redirect := flag.String("redirect", "", "redirect URI of the client console, whose secret is the word secret")
	file := flag.String("people", "", "JSON file with the people by ID")
	flag.Parse()
	content, err := os.ReadFile(*file)
	if err != nil {
		log.Fatal(err)
	}
	known := people{}
	if err := json.Unmarshal(content, &known); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	issuer := fmt.Sprintf("http://%s", listener.Addr())
	storage.RegisterClients(storage.WebClient("console", "secret", *redirect))
	store := groups{storage.NewStorage(known), known}
	handler := exampleop.SetupServer(issuer, store, slog.New(slog.NewTextHandler(io.Discard, nil)), false)
	go func() { log.Fatal(http.Serve(listener, handler)) }()
	fmt.Println(issuer)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
