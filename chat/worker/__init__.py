"""Works on runs in processes of their own, which Procrastinate hands them to. Installed only with AGENT_RUNNER set."""
