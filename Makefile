# `make` lists the targets.
BIN       := $(CURDIR)/.bin
JARS      := $(CURDIR)/.cache/kafka/jars
LINT      := $(BIN)/golangci-lint
LINT_V    := v2.15.0
SUM       := $(BIN)/gotestsum
SUM_V     := v1.13.0
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE     ?= rechargeflow
KAFKA_IMAGE ?= rechargeflow-kafka:4.3.0
# The race detector needs a C compiler. Two packages are left out, in which it finds nothing and takes most of the time: SQLite, which is translated
# from C, and what bcrypt calculates. A package with generic code can't be: its copy of that code may serve others, where the detector needs it.
RACE      := $(shell command -v gcc >/dev/null 2>&1 && echo -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=golang.org/x/crypto/blowfish=-race=false)

.PHONY: help demo test test-faults build image lint unit unit-race unit-processes unit-faults kafka-jars kafka-image promtool axe update bench streams load schemathesis docs man fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: build ## run the whole pipeline on embedded parts with one subscriber's history; KEEP=1 leaves it running
	@go build -o $(BIN)/demo ./demo
	@$(BIN)/demo -binary $(BIN)/rechargeflow $(if $(KEEP),-keep)

test: lint unit ## run linters and all tests that can run here; lists skipped tests and the reason

test-faults: kafka-jars ## kill, freeze and cut off what runs, for an hour, and check the outcome of each record; ROUNDS, SEED, OUTAGES
	FAULTS=whole go test -count=1 -timeout 120m -v ./test/faults
	DEFERRED=100000 go test -count=1 -timeout 30m -v ./app -run TestDeferredTexts
	IMPORT=100000 go test -count=1 -timeout 30m -v ./test/story -run TestImport
	OUTAGES=$(or $(OUTAGES),30) go test -count=1 -timeout 60m -v ./test/story -run TestOutage

build: ## build the binary, .bin/rechargeflow
	@go build -ldflags "-X main.version=$(VERSION)" -o $(BIN)/rechargeflow ./cmd/rechargeflow

image: ## build the container image, rechargeflow:latest; needs Docker, pulls nothing
	@mkdir -p $(BIN)/image/data
	@CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN)/image/rechargeflow ./cmd/rechargeflow
	@docker build -q --build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) -t $(IMAGE) .

lint: $(LINT) ## run the linters, as in CI
	$(LINT) run ./...

$(LINT):
	@echo "installing golangci-lint $(LINT_V) into .bin (once, 1 to 2 minutes)"
	@GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_V)

$(SUM):
	@echo "installing gotestsum $(SUM_V) into .bin (once): it lists skipped tests"
	@GOBIN=$(BIN) go install gotest.tools/gotestsum@$(SUM_V)

load: kafka-jars ## CUSTOMERS (2000) histories at their recorded times through the binary on both brokers, compared event by event
	CUSTOMERS=$(or $(CUSTOMERS),2000) go test -count=1 -timeout 30m -v ./test/story -run TestLoad

# packages that start no goroutine, as test/arch checks: the race detector finds nothing there, and makes their property tests four to eight times slower
PURE := ./pkg/subscriber ./pkg/message ./pkg/flow ./pkg/quiethours ./pkg/jsonread ./pkg/jsonappend ./pkg/texts ./pkg/sending

# packages whose tests start processes, as those of ./test/faults do: the race detector would look at the tests themselves, and what the processes run has tests of its own
PROCESSES := ./test/story ./cmd/rechargeflow ./test/console ./test/image

# the longest ones begin first, so that none of them runs alone at the end; most of the time of ./test/story is waiting
LONG := ./pipeline ./app ./pkg/kafka ./pkg/state ./test/histories/expected ./console/api ./pkg/kafka/kafkatest

NEEDS := $(SUM) kafka-jars promtool axe schemathesis

unit: unit-race unit-processes unit-faults ## run all tests; those on Apache Kafka need Docker, or Java and the jars

unit-race: $(NEEDS)
	$(SUM) --format pkgname -- $(RACE) -shuffle=on -timeout 15m $(LONG) $$(go list ./... | grep -v -e /test/faults$$ $(foreach p,$(PURE) $(PROCESSES),-e rechargeflow/$(p:./%=%)$$))

unit-processes: $(NEEDS)
	$(SUM) --format pkgname -- -p 3 -shuffle=on -timeout 15m $(PROCESSES) $(PURE)

unit-faults: $(NEEDS)
	$(SUM) --format pkgname -- -shuffle=on -timeout 15m ./test/faults

kafka-jars: ## fetch Apache Kafka's jars with Maven into .cache (once, 54 MB); without Maven or Java tests on Kafka are skipped
	@if [ -e $(JARS)/.complete ]; then :; \
	elif command -v mvn >/dev/null 2>&1 && command -v java >/dev/null 2>&1; then \
	  echo "fetching Apache Kafka's jars into .cache/kafka/jars"; \
	  mvn -q -B -f test/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(JARS) && touch $(JARS)/.complete; \
	else echo "no mvn or java: tests on Apache Kafka are skipped"; fi

promtool: ## put promtool of Debian's package prometheus into .bin (once, 19 MB); without apt-get the tests of alerts are skipped
	@if command -v promtool >/dev/null 2>&1 || [ -x $(BIN)/promtool ]; then :; \
	elif command -v apt-get >/dev/null 2>&1; then \
	  echo "fetching promtool into .bin"; mkdir -p .cache/promtool $(BIN) && cd .cache/promtool && \
	  { apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb . && cp usr/bin/promtool $(BIN)/promtool && rm -rf $(CURDIR)/.cache/promtool; } \
	  || echo "no package prometheus: tests of alerts are skipped"; \
	else echo "no promtool: tests of alerts are skipped"; fi

VENV      := .cache/venv
SCHEMATHESIS_V := 4.32.5
schemathesis: ## put schemathesis, which tests the console's API by its document, into .cache (once, 94 MB); without python3 and its venv its test is skipped
	@if [ -x $(VENV)/bin/schemathesis ]; then :; \
	elif command -v python3 >/dev/null 2>&1; then \
	  echo "installing schemathesis into .cache/venv"; \
	  python3 -m venv $(VENV) && $(VENV)/bin/pip install -q --disable-pip-version-check schemathesis==$(SCHEMATHESIS_V) || { rm -rf $(VENV); echo "no schemathesis: its test is skipped"; }; \
	else echo "no python3: the test with schemathesis is skipped"; fi

AXE_V     := 4.14.1
axe: ## put axe-core, which checks that pages can be used by everybody, into .cache (once, 0.7 MB); without npm its tests are skipped
	@if [ -e .cache/axe/axe.min.js ]; then :; \
	elif command -v npm >/dev/null 2>&1; then \
	  echo "fetching axe-core into .cache/axe"; mkdir -p .cache/axe && cd .cache/axe && \
	  { npm pack --silent axe-core@$(AXE_V) >/dev/null && tar -xzf axe-core-$(AXE_V).tgz --strip-components=1 package/axe.min.js package/LICENSE && rm axe-core-$(AXE_V).tgz; } \
	  || echo "no axe-core: its tests are skipped"; \
	else echo "no npm: tests with axe-core are skipped"; fi

kafka-image: kafka-jars ## build an image of Apache Kafka from this machine's Java, for tests without a registry; needs Docker, busybox
	@test/image/kafka/build $(JARS) $(KAFKA_IMAGE)

update: ## rewrite all golden files, the enums of the schemas and the list of countries; read the diff
	go test ./pipeline ./pkg/recharge ./pkg/config ./pkg/flow ./pkg/subscriber ./pkg/sms -update

# .complete has the checksum of the sources, so that a change builds it again
STREAMS   := $(CURDIR)/.cache/streams
streams: ## build the Kafka Streams application of the benchmarks into .cache (with Maven, downloads 100 MB once); skipped without Maven or a JDK
	@sum=$$(cat $$(find test/bench/streams -type f | sort) | cksum); \
	if [ "$$(cat $(STREAMS)/.complete 2>/dev/null)" = "$$sum" ]; then :; \
	elif command -v mvn >/dev/null 2>&1 && command -v javac >/dev/null 2>&1; then \
	  echo "building the Kafka Streams application into .cache/streams"; rm -rf $(STREAMS); \
	  { mvn -q -B -f test/bench/streams/pom.xml compile dependency:copy-dependencies && echo "$$sum" > $(STREAMS)/.complete; } \
	  || echo "building failed: the benchmark beside Kafka Streams is skipped"; \
	else echo "no mvn or javac: the benchmark beside Kafka Streams is skipped"; fi

# tests run the broker with little memory and without the optimizing compiler; here it has both, and no container proxy
bench: kafka-jars streams ## run the benchmarks; prints tables and saves them in docs/bench; ONLY=transform,soak PROFILE=file SOAK=1m
	ONLY=$(ONLY) SOAK=$(SOAK) RECHARGEFLOW_TEST_CONTAINERS=none _JAVA_OPTIONS="-XX:TieredStopAtLevel=4 -Xmx1g" \
	go test -tags bench -count=1 -timeout 60m -v $(if $(PROFILE),-cpuprofile $(PROFILE) -o $(BIN)/bench.test) ./test/bench

docs: build ## rewrite the generated pages docs/configuration.md, docs/webhooks.md, docs/flows.md and docs/tracking.md
	@$(BIN)/rechargeflow config docs > docs/configuration.md
	@$(BIN)/rechargeflow webhooks docs > docs/webhooks.md
	@$(BIN)/rechargeflow flows docs > docs/flows.md
	@$(BIN)/rechargeflow tracking docs > docs/tracking.md

man: build ## write manual pages of all commands into .bin/man
	@$(BIN)/rechargeflow man $(BIN)/man && echo "written to $(BIN)/man"

FUZZTIME ?= 30s
fuzz: ## run each fuzz target for FUZZTIME (30s)
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep ^Fuzz); do \
	    echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

clean: ## delete .bin and .cache
	rm -rf $(BIN) .cache
