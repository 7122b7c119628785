# What there is to do. Each target is a script beside what it sets up.

.PHONY: run test soak bench

run: ## sekisho on loopback with config/examples, and a home server beside it, until Ctrl-C
	userspace/sekisho/run.sh

test: ## everything that is promised, checked
	tests/run.sh

soak: ## the tests that take minutes
	tests/soak.sh

bench: ## CPU per transaction side by side with FreeRADIUS, radsecproxy and a bare relay
	bench/run.sh
