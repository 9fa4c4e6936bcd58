"""What a borrowed GPU machine does in nine minutes: ``make gpu-kit`` here, ``make gpu`` there."""
