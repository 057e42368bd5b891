"""Speed and memory of softshare's steps beside what else one could run, as ratios of one run."""
