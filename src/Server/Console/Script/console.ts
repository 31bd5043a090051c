// The console without it: every button is a form, every figure is in the page as it was loaded. With it, what moves follows by itself.
import "./live";
import "./again";
