"""How the shipped model is made and measured; imports `cleaner`, never the other way round."""
