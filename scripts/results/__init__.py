"""Our own result files: read and checked, and the gains of mini-benchmarks computed from them"""
