"""Forenames that are common in Britain, of every origin: a column that holds several of them holds names."""

from __future__ import annotations

_COMMON = """
aaron abdul abdullah abigail adam adebayo adrian agnes agnieszka ahmed aisha alan albert aleksandra alexander
alexandra alfie ali alice alison amanda amelia amina amy andrea andrew andrzej angela angus anita ann anna anne annie
anthony anwar archie arjun arthur asha ashley audrey ava barbara barry beatrice ben benjamin bernard beryl beth
bethany betty beverley bilal brenda brian bridget bronwen bruce callum cameron carl carol caroline carys catherine
cerys charles charlie charlotte chinedu chloe christine christopher ciara claire clare clive colin connor craig
cynthia daisy daniel daniela darren david dawn dean deborah declan deepak denise dennis derek diana diane diego donald
donna doreen doris dorothy dougal douglas duncan dylan edith edna edward eileen eirlys elaine eleanor elena elizabeth
ella ellen ellie elsie emily emma eric erin ethan eunice evan eve evelyn ewan faisal farah farhan fatima fatma ffion
finlay fiona florence frances francis frank fred freda frederick freya gareth garry gary gavin gemma geoffrey george
georgia geraldine gerard gillian gladys glenys glyn gordon grace graham grzegorz gurpreet gwen gwyneth hamish hannah
hari harold harpreet harriet harry harvey hassan hazel heather helen henry hilary holly howard hugh huw ian ibrahim
ida imran ioan irene iris isaac isabella isla ismail ivan ivy jack jacob jacqueline jagdeep jake james jamie jan jane
janet janice jasmine jason jay jean jeffrey jennifer jeremy jessica jill joan joanna joanne joao john jonathan jordan
jose joseph josephine joshua joyce judith julia julian julie june kamal kamala karen karl katarzyna kate katherine
kathleen katie keith kelly kenneth kerry kevin khadija khalid kieran kim kiran krzysztof kwame kyle lakshmi lara laura
lauren lawrence leah lee leila leo leon leonard lesley leslie lewis liam lilian lily linda lisa lorna lorraine louis
louise lucy luke lynn lynne maciej madeleine magdalena mahmoud malcolm malgorzata manjit manpreet marcin margaret
maria marian marie marion marjorie mark marlene martin mary maryam matthew maureen mavis max meera megan mehmet
melanie melissa mia michael michelle mihai mildred millie miriam mohamed mohammad mohammed moira molly monica morag
muhammad muriel mustafa nadia nancy naomi nasreen natalie natasha nathan naveed neil ngozi nia niamh nicholas nicola
nicole nigel nikhil noah noel nora norma norman olga oliver olivia oliwia olu olusegun omar oscar owen pamela parveen
patricia patrick paul paula pauline pawel peggy penelope peter petra philip phoebe phyllis piotr poppy priya rachel
raj rajesh ralph ramesh ravi raymond rebecca reginald rhian rhys richard rita robert roberta robin roger ronald rosa
rose rosemary ross roy ruby rukhsana rupert russell ruth ryan sadia saima sally samantha samina samuel sandra sanjay
sarah scott sean shabana shahid shannon sharon sheila shirley sidney simon siobhan sofia sophia sophie stacey
stanislaw stanley stella stephanie stephen steven stuart sunita suresh susan suzanne syed sylvia tamara tanya tara
tariq terence teresa thelma theresa thomas tim timothy tina toby tomasz tony tracey trevor tunde usha valerie vanessa
vera veronica victor victoria vijay vincent viola violet vivian wahida walter wayne wendy wilfred william winifred
wojciech xin yasmin yetunde yusuf yvonne zahid zahra zainab zara zoe zofia
"""
FORENAMES = frozenset(_COMMON.split())
