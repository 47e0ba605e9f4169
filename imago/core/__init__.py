"""What every stage uses: errors, files, paths, progress, the sections of params.yaml."""
