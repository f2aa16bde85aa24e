"""Plan, status and progress of runs, for any workflow that declares its phases."""
