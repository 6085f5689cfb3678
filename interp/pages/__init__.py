"""The live equalizer: sliders in, lists before and after out, in a browser and in Jupyter."""
