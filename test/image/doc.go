// Package image tests the container image and docker-compose.yml.
//
//	files_test.go      docker-compose.yml, its configuration, Prometheus and Grafana: that they agree; needs no Docker
//	dashboard_test.go  the dashboards query metrics that exist; needs no Docker
//	image_test.go      the image, built and run
//	compose_test.go    docker-compose.yml, run
//	engine_test.go     the Docker engine
//
// Image and composition need a Docker engine and its command line, and are skipped where there is none.
package image
