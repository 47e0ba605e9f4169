for (const image of document.images) {
  const figure = image.closest("figure");
  const look = () => {
    if (!figure.classList.contains("whole")) {
      figure.classList.toggle("shrunk", image.clientWidth < image.naturalWidth);
    }
  };
  image.addEventListener("click", () => {
    if (figure.classList.contains("shrunk")) figure.classList.toggle("whole");
  });
  image.decode().then(look, look);
  window.addEventListener("resize", look);
}
