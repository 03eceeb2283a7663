// Set the remembered theme before anything is drawn, so that no page flashes in the other one.
try {
  const theme = localStorage.getItem("docqa-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is closed to this page: the system's theme holds.
}
