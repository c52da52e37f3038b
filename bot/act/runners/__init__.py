"""Where suites can be run again; one file for each kind of runner of the catalog."""
