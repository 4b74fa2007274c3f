// Package image holds the tests of what ships in containers.
//
//	files_test.go      docker-compose.yml, its configuration, Prometheus and Grafana: that they agree; needs no Docker
//	dashboard_test.go  the dashboard asks for what there is; needs no Docker
//	image_test.go      the image, built and run
//	compose_test.go    docker-compose.yml, run
//
// The last two need a Docker engine and its command line, and say so where there is none.
package image
