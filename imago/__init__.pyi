from imago.predict.predictor import Prediction as Prediction
from imago.predict.predictor import Predictor as Predictor
