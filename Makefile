# `make` alone prints what there is.
BIN       := $(CURDIR)/.bin
JARS      := $(CURDIR)/.cache/kafka/jars
LINT      := $(BIN)/golangci-lint
LINT_V    := v2.15.0
SUM       := $(BIN)/gotestsum
SUM_V     := v1.13.0
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE     ?= rechargeflow
KAFKA_IMAGE ?= rechargeflow-kafka:4.3.0
# the race detector needs a C compiler
RACE      := $(shell command -v gcc >/dev/null 2>&1 && echo -race)

.PHONY: help demo test test-faults build image lint unit kafka-jars kafka-image update bench load docs fuzz clean

help: ## print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: build ## the whole pipeline on embedded parts, a subscriber's life through it; KEEP=1 leaves it running
	@go build -o $(BIN)/demo ./demo
	@$(BIN)/demo -binary $(BIN)/rechargeflow $(if $(KEEP),-keep)

test: lint unit ## everything that can run here; says what cannot and why

test-faults: kafka-jars ## kill, freeze and cut off what runs, for three quarters of an hour, and ask each record what became of it; ROUNDS, SEED
	FAULTS=whole go test -count=1 -timeout 120m -v ./test/faults

build: ## the binary, .bin/rechargeflow
	@go build -ldflags "-X main.version=$(VERSION)" -o $(BIN)/rechargeflow ./cmd/rechargeflow

image: ## the container image, rechargeflow:latest; needs Docker and pulls nothing
	@mkdir -p $(BIN)/image/data
	@CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN)/image/rechargeflow ./cmd/rechargeflow
	@docker build -q --build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) -t $(IMAGE) .

lint: $(LINT) ## the linters, as strict as in CI
	$(LINT) run ./...

$(LINT):
	@echo "installing golangci-lint $(LINT_V) into .bin (a minute or two, once)"
	@GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_V)

$(SUM):
	@echo "installing gotestsum $(SUM_V) into .bin (seconds, once): it lists what was skipped and why"
	@GOBIN=$(BIN) go install gotest.tools/gotestsum@$(SUM_V)

load: kafka-jars ## LIVES (2000) lives at their recorded times through the binary on both brokers, compared fact by fact
	LIVES=$(or $(LIVES),2000) go test -count=1 -timeout 30m -v ./test/story -run TestLoad

unit: $(SUM) kafka-jars ## all tests, those on Apache Kafka included where Docker, or Java and its jars, are there
	$(SUM) --format pkgname -- $(RACE) -shuffle=on -timeout 15m ./...

kafka-jars: ## Apache Kafka's jars by Maven into .cache (54 MB, once); without Maven or Java the tests on Kafka are skipped
	@if [ -e $(JARS)/.complete ]; then :; \
	elif command -v mvn >/dev/null 2>&1 && command -v java >/dev/null 2>&1; then \
	  echo "fetching Apache Kafka's jars into .cache/kafka/jars"; \
	  mvn -q -B -f test/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(JARS) && touch $(JARS)/.complete; \
	else echo "no mvn or java here: tests on Apache Kafka are skipped"; fi

kafka-image: kafka-jars ## Apache Kafka as an image for tests where none can be pulled, out of this machine's Java; needs Docker, busybox
	@test/image/kafka/build $(JARS) $(KAFKA_IMAGE)

update: ## rewrite every golden file from what the code does now; read the diff
	go test ./pipeline ./pkg/recharge ./pkg/config ./pkg/flow -update

# the broker under test gets its optimizing compiler and memory back, which the tests do without, and no engine's proxy
bench: kafka-jars ## measure on this machine; prints tables and keeps them in docs/bench; ONLY=transform,soak PROFILE=file SOAK=1m
	ONLY=$(ONLY) SOAK=$(SOAK) RECHARGEFLOW_TEST_CONTAINERS=none _JAVA_OPTIONS="-XX:TieredStopAtLevel=4 -Xmx1g" \
	go test -tags bench -count=1 -timeout 60m -v $(if $(PROFILE),-cpuprofile $(PROFILE) -o $(BIN)/bench.test) ./test/bench

docs: build ## rewrite the generated pages, docs/configuration.md and docs/webhooks.md
	@$(BIN)/rechargeflow config docs > docs/configuration.md
	@$(BIN)/rechargeflow webhooks docs > docs/webhooks.md

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME (30s) each
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep ^Fuzz); do \
	    echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

clean: ## what building and testing left behind
	rm -rf $(BIN) .cache
