"""What the page says, in English and in a Portuguese for European and Brazilian readers alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.certainty import Certainty
from app.intake import Fault
from imago.predict.predictor import Reason

Language = Literal["en", "pt"]
LANGUAGES: Mapping[Language, str] = {"en": "English", "pt": "Português"}

Source = Literal["photos", "camera", "drawing", "examples"]


@dataclass(frozen=True, kw_only=True)
class Texts:
    """One language; braces are filled in when a text is shown."""

    title: str
    subtitle: str
    model: str
    knows: str
    forced: str
    may_refuse: Mapping[tuple[bool, bool], str]
    """Whether for a picture unlike the training images, and for a small probability."""
    tested: str
    tested_by_class: str
    sources: Mapping[Source, str]
    how: str
    upload: str
    upload_button: str
    upload_limits: str
    upload_refused: str
    paste_button: str
    paste_hint: str
    paste_nothing: str
    paste_done: str
    camera: str
    camera_button: str
    camera_again: str
    camera_permission: str
    camera_none: str
    draw: str
    draw_label: str
    draw_keys: str
    undo: str
    clear: str
    examples: str
    example_label: str
    example_choose: str
    no_examples: str
    waiting: str
    answer_title: str
    answers_title: str
    answer: str
    certainty: Mapping[Certainty, str]
    unknown: str
    unsure: Mapping[Reason, str]
    reliability: str
    in_the_data: str
    right: str
    wrong: str
    others: str
    photographed: str
    drawn: str
    example: str
    sees: str
    looks: str
    looks_toggle: str
    looks_help: str
    looks_loading: str
    looks_failed: str
    faults: Mapping[Fault, str]
    faults_title: str
    too_many: str
    private: str
    card: str
    card_sections: Mapping[str, str]
    card_numbers: Mapping[str, str]
    programs: str
    no_models: str
    no_models_how: str
    not_loaded: str
    classes: Mapping[str, str]

    def name(self, label: str) -> str:
        """Name a class in this language, where it is known; else as the model does."""
        return self.classes.get(label, label)


ENGLISH = Texts(
    title="What is in this picture?",
    subtitle="Show a picture to a trained model and see what it takes it for, and how sure it is.",
    model="Model",
    knows="This model knows {count} things: {classes}.",
    forced="It knows nothing else. Whatever the picture shows, it answers with one of these.",
    may_refuse={
        (True, True): "It knows nothing else. Where a picture is unlike those that it learnt from, "
        "or where it is not sure enough, it says so.",
        (True, False): "It knows nothing else. Where a picture is unlike those that it learnt "
        "from, it says so.",
        (False, True): "It knows nothing else. Where it is not sure enough, it says so.",
    },
    tested="It gives the right answer for {accuracy} of {examples} test images.",
    tested_by_class="Of the test images of a class it gives the right answer for {balanced}, on "
    "average; of all {examples}, most of which are of large classes, for {accuracy}.",
    sources={
        "photos": "Photos",
        "camera": "Camera",
        "drawing": "Draw",
        "examples": "Examples",
    },
    how="Where the picture comes from",
    upload="Drop one or more photos here, or choose them",
    upload_button="Choose photos",
    upload_limits="JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP or TIFF, up to {megabytes} MB each",
    upload_refused="Not read: the limit is {megabytes} MB.",
    paste_button="Paste a picture",
    paste_hint="or press Ctrl+V",
    paste_nothing="There is no picture in the clipboard.",
    paste_done="Pasted.",
    camera="Take a photo",
    camera_button="Take photo",
    camera_again="Take another",
    camera_permission="Allow this page to use your camera.",
    camera_none="No camera? Choose Photos and upload a picture instead.",
    draw="Draw a digit, 0 to 9",
    draw_label="Paper to draw a digit on with mouse, finger or pen",
    draw_keys="With the keyboard: arrow keys move the pen, space puts it down and lifts it.",
    undo="Undo",
    clear="Clear",
    examples="No photo at hand? Click one that the model was never trained on.",
    example_label="Example {number}: {label}",
    example_choose="Examples",
    no_examples="The test images of this model are not here; choose another way.",
    waiting="The answer will be shown here.",
    answer_title="The answer",
    answers_title="The answers",
    answer="{label}, {probability}",
    certainty={
        "very_sure": "The model is very sure.",
        "fairly_sure": "The model is fairly sure.",
        "unsure": "The model is not sure. It might also be: {second}.",
        "guessing": "The model is guessing. It might as well be: {second}.",
    },
    unknown="The model does not know",
    unsure={
        "improbable": "It is not sure enough for an answer. If it had to choose: {answer}.",
        "unlike": "This picture is unlike those that it learnt from. If it had to choose: "
        "{answer}.",
    },
    reliability="When it was this sure on test images, it was right in {share} of {count}.",
    in_the_data="In the data set this is: {label}.",
    right="The model is right.",
    wrong="The model is wrong.",
    others="{count} others together",
    photographed="Your photo",
    drawn="Your drawing",
    example="Example",
    sees="What the model sees: {width} × {height} pixels",
    looks="Where the model looked",
    looks_toggle="Show where the model looked",
    looks_help="Bright places counted most for the answer (Grad-CAM). "
    "The first time takes some seconds.",
    looks_loading="Looking into the model …",
    looks_failed="This cannot be shown for this model.",
    faults={
        "empty": "This file is empty.",
        "too_large": "This file is too large. The limit is {megabytes} MB.",
        "too_many_pixels": "This picture has too many pixels. The limit is {megapixels} million.",
        "too_complex": "This JPEG is built in a way that takes too long to read.",
        "unreadable": "This is not a picture that can be read. It may be damaged, or another "
        "kind of file.",
    },
    faults_title="Not read",
    too_many="Only the first {count} pictures are answered.",
    private="Your pictures stay in the memory of the computer that runs this page, while it is "
    "open. They are not stored and not sent anywhere else.",
    card="About this model",
    card_sections={
        "limits": "What to know before use",
        "metrics": "On the test images",
        "splits": "Images",
        "confusions": "Most often confused",
        "parameters": "How it was trained",
        "exports": "Formats",
        "versions": "Made with",
    },
    card_numbers={
        "balanced_accuracy": "Right of a class, on average",
        "balanced_interval": "Right of a class, 95 % interval",
        "accuracy": "Right",
        "interval": "Right, 95 % interval",
        "macro_f1": "Mean F1 of the classes",
        "examples": "Images",
    },
    programs="Programs can ask too: POST /predict",
    no_models="There is no model yet.",
    no_models_how="Train and export one, then load this page again:",
    not_loaded="This model cannot be used: {reason}",
    classes={},
)

PORTUGUESE = Texts(
    title="O que está nesta imagem?",
    subtitle="Mostre uma imagem a um modelo treinado e veja o que ele reconhece, "
    "e com que certeza.",
    model="Modelo",
    knows="Este modelo conhece {count} coisas: {classes}.",
    forced="Não conhece mais nada. Mostre a imagem o que mostrar, responde com uma destas.",
    may_refuse={
        (True, True): "Não conhece mais nada. Quando uma imagem é diferente daquelas com que "
        "aprendeu, ou quando não tem certeza suficiente, diz que não sabe.",
        (True, False): "Não conhece mais nada. Quando uma imagem é diferente daquelas com que "
        "aprendeu, diz que não sabe.",
        (False, True): "Não conhece mais nada. Quando não tem certeza suficiente, diz que não "
        "sabe.",
    },
    tested="Dá a resposta certa em {accuracy} de {examples} imagens de teste.",
    tested_by_class="Das imagens de teste de uma classe dá a resposta certa em {balanced}, em "
    "média; de todas as {examples}, a maioria de classes grandes, em {accuracy}.",
    sources={
        "photos": "Fotos",
        "camera": "Fotografar",
        "drawing": "Desenhar",
        "examples": "Exemplos",
    },
    how="De onde vem a imagem",
    upload="Arraste para aqui uma ou mais fotos, ou escolha-as",
    upload_button="Escolher fotos",
    upload_limits="JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP ou TIFF, até {megabytes} MB cada",
    upload_refused="Grande demais: o limite é de {megabytes} MB.",
    paste_button="Colar uma imagem",
    paste_hint="ou use Ctrl+V",
    paste_nothing="Não há nenhuma imagem para colar.",
    paste_done="Colada.",
    camera="Tire uma foto",
    camera_button="Tirar foto",
    camera_again="Tirar outra",
    camera_permission="Autorize esta página a fotografar.",
    camera_none="Não consegue fotografar? Escolha Fotos e envie uma imagem.",
    draw="Desenhe um algarismo, de 0 a 9",
    draw_label="Papel para desenhar um algarismo com o rato ou mouse, o dedo ou a caneta",
    draw_keys="Com o teclado: as setas movem a caneta, o espaço pousa-a e levanta-a.",
    undo="Desfazer",
    clear="Limpar",
    examples="Não tem uma foto à mão? Clique numa que o modelo nunca viu no treino.",
    example_label="Exemplo {number}: {label}",
    example_choose="Exemplos",
    no_examples="As imagens de teste deste modelo não estão aqui; escolha outra forma.",
    waiting="A resposta aparece aqui.",
    answer_title="A resposta",
    answers_title="As respostas",
    answer="{label}, {probability}",
    certainty={
        "very_sure": "O modelo tem muita certeza.",
        "fairly_sure": "O modelo tem bastante certeza.",
        "unsure": "O modelo não tem certeza. Também pode ser: {second}.",
        "guessing": "O modelo apenas adivinha. Pode muito bem ser: {second}.",
    },
    unknown="O modelo não sabe",
    unsure={
        "improbable": "Não tem certeza suficiente para responder. Se tivesse de escolher: "
        "{answer}.",
        "unlike": "Esta imagem é diferente daquelas com que aprendeu. Se tivesse de escolher: "
        "{answer}.",
    },
    reliability="Com esta certeza, acertou em {share} de {count} imagens de teste.",
    in_the_data="No conjunto de dados, é: {label}.",
    right="O modelo acertou.",
    wrong="O modelo errou.",
    others="{count} outras, juntas",
    photographed="A sua foto",
    drawn="O seu desenho",
    example="Exemplo",
    sees="O que o modelo vê: {width} × {height} pixels",
    looks="Para onde o modelo olhou",
    looks_toggle="Mostrar para onde o modelo olhou",
    looks_help="As zonas claras foram as que mais contaram para a resposta (Grad-CAM). "
    "A primeira vez demora alguns segundos.",
    looks_loading="Análise do modelo em curso …",
    looks_failed="Isto não pode ser mostrado para este modelo.",
    faults={
        "empty": "Está vazia: não tem nada dentro.",
        "too_large": "É grande demais. O limite é de {megabytes} MB.",
        "too_many_pixels": "Esta imagem tem pixels a mais. O limite é de {megapixels} milhões.",
        "too_complex": "Este JPEG está feito de uma forma que demora demais a ler.",
        "unreadable": "Não é uma imagem que se possa ler. Pode estar danificada, ou não ser "
        "uma imagem.",
    },
    faults_title="Não foi possível ler",
    too_many="Só as primeiras {count} imagens têm resposta.",
    private="As suas imagens ficam na memória do computador que serve esta página, enquanto ela "
    "estiver aberta. Não são guardadas nem enviadas para outro lugar.",
    card="Sobre este modelo",
    card_sections={
        "limits": "O que convém saber antes de usar (em inglês)",
        "metrics": "Nas imagens de teste",
        "splits": "Imagens",
        "confusions": "Confusões mais frequentes",
        "parameters": "Como foi treinado",
        "exports": "Formatos",
        "versions": "Feito com",
    },
    card_numbers={
        "balanced_accuracy": "Certas de uma classe, em média",
        "balanced_interval": "Certas de uma classe, intervalo de 95 %",
        "accuracy": "Respostas certas",
        "interval": "Respostas certas, intervalo de 95 %",
        "macro_f1": "Média do F1 das classes",
        "examples": "Imagens",
    },
    programs="Também para programas: POST /predict",
    no_models="Ainda não há nenhum modelo.",
    no_models_how="Treine e exporte um, e depois abra esta página de novo:",
    not_loaded="Este modelo não pode ser usado: {reason}",
    classes={
        "airplane": "avião",
        "automobile": "automóvel",
        "bird": "pássaro",
        "cat": "gato",
        "deer": "cervo",
        "dog": "cão",
        "frog": "rã",
        "horse": "cavalo",
        "ship": "navio",
        "truck": "camião / caminhão",
        "T-shirt/top": "T-shirt / camiseta",
        "Trouser": "calças",
        "Pullover": "pulôver",
        "Dress": "vestido",
        "Coat": "casaco",
        "Sandal": "sandália",
        "Shirt": "camisa",
        "Sneaker": "ténis / tênis",
        "Bag": "bolsa",
        "Ankle boot": "bota de cano curto",
    },
)

LEAST_SHOWN = 0.001
_SPACE = "\N{NO-BREAK SPACE}"

BY_LANGUAGE: Mapping[Language, Texts] = {"en": ENGLISH, "pt": PORTUGUESE}


def preferred(locale: str | None) -> Language:
    """Choose a language for a browser's locale, such as pt-BR; English unless Portuguese."""
    return "pt" if (locale or "").lower().replace("_", "-").split("-")[0] == "pt" else "en"


def percent(share: float, language: Language) -> str:
    """Write a share of 0 to 1 as percent, to a tenth."""
    return f"{_decimal(f'{share:.1%}'[:-1], language)}{_SPACE}%"


def probability(share: float, language: Language) -> str:
    """Write a probability as percent, to a tenth, but never that something is certain."""
    if share < LEAST_SHOWN:
        return f"<{_SPACE}{percent(LEAST_SHOWN, language)}"
    if share > 1 - LEAST_SHOWN:
        return f">{_SPACE}{percent(1 - LEAST_SHOWN, language)}"
    return percent(share, language)


def whole(number: int, language: Language) -> str:
    """Write a whole number with separators of thousands."""
    return f"{number:,}".replace(",", "," if language == "en" else _SPACE)


def _decimal(text: str, language: Language) -> str:
    """Write a number's decimal point as the language has it."""
    return text if language == "en" else text.replace(".", ",")
