// Gives pasted pictures to the page's upload field, as if they had been chosen there.

const INPUT = '[data-testid="stFileUploaderDropzoneInput"]';

export default function (component) {
  const { data, parentElement } = component;
  const button = parentElement.querySelector("button");
  const status = parentElement.querySelector("[role=status]");
  button.textContent = data.button;
  parentElement.querySelector(".hint").textContent = data.hint;
  button.hidden = !navigator.clipboard?.read; // which browsers have on secure pages only

  function give(files) {
    const pictures = files.filter((file) => file.type.startsWith("image/"));
    const input = document.querySelector(INPUT);
    status.textContent = pictures.length && input ? data.done : data.nothing;
    if (!pictures.length || !input) return false;
    const transfer = new DataTransfer();
    pictures.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  function onPaste(event) {
    if (event.target.closest?.("input[type=text], textarea")) return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && give(files)) event.preventDefault();
  }

  async function onClick() {
    try {
      const files = [];
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((each) => each.startsWith("image/"));
        if (type) files.push(new File([await item.getType(type)], "clipboard.png", { type }));
      }
      give(files);
    } catch {
      status.textContent = data.nothing; // or the visitor does not let us look
    }
  }

  document.addEventListener("paste", onPaste);
  button.addEventListener("click", onClick);
  return () => {
    document.removeEventListener("paste", onPaste);
    button.removeEventListener("click", onClick);
  };
}
