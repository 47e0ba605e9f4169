// Pictures to click. The state `chosen` is the position of the one that was clicked last.

const SMALL_PX = 64;

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const group = parentElement.querySelector(".examples");
  group.setAttribute("aria-label", data.label);
  group.replaceChildren(
    ...data.images.map(({ url, label }, position) => {
      const image = Object.assign(new Image(), { src: url, alt: label });
      image.onload = () => image.classList.toggle("small", image.naturalWidth < SMALL_PX);
      const button = document.createElement("button");
      button.type = "button";
      button.title = label;
      button.setAttribute("aria-pressed", String(position === data.chosen));
      button.append(image);
      button.onclick = () => setStateValue("chosen", position);
      return button;
    }),
  );
}
