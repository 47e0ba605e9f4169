from imago.predictor import Prediction as Prediction
from imago.predictor import Predictor as Predictor
